"""The business number's id that an update names."""

from typing import Any

import pytest

from messaging.incoming.business_numbers import number_id
from messaging.whatsapp.inbound import normalise
from tests.messaging.bodies import inbound_text, webhook


def named(phone_number_id: Any) -> str:
    body = webhook(inbound_text())
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = phone_number_id
    (message,) = normalise(body).messages
    return number_id(message)


@pytest.mark.parametrize(("given", "found"), [("1" * 32, "1" * 32), ("1" * 33, ""), ("", ""), (None, "")])
def test_an_id_of_at_most_32_characters_is_one(given: Any, found: str) -> None:
    assert named(given) == found
