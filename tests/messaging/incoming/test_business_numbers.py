"""Facts of business numbers that webhooks bring."""

from typing import Any

import pytest

from messaging.incoming.store import receive
from messaging.models import BusinessNumber, Message
from messaging.states import Status
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.factories import in_state

pytestmark = pytest.mark.django_db
ACCOUNT, DISPLAY = "102290129340398", "15550783881"


def known() -> tuple[str, str]:
    row = BusinessNumber.objects.get()
    return row.waba_id, row.display_phone_number


@pytest.fixture
def sent() -> Message:
    """The default number has sent; no webhook has come yet, so its account is not known."""
    message = in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    assert known() == ("", "")
    return message


def test_the_first_message_of_a_user_completes_the_default_number(sent: Message) -> None:
    receive(webhook(inbound_text()))
    assert known() == (ACCOUNT, DISPLAY)


def test_the_first_status_completes_the_default_number_too(sent: Message) -> None:
    receive(webhook(statuses=(status("sent"),)))
    assert known() == (ACCOUNT, DISPLAY)


@pytest.mark.parametrize("body", [webhook(inbound_text()), webhook(statuses=(status("sent"),))], ids=["text", "status"])
def test_known_details_are_not_overwritten(body: dict[str, Any], sent: Message) -> None:
    BusinessNumber.objects.update(waba_id="1", display_phone_number="2")
    receive(body)
    assert known() == ("1", "2")
