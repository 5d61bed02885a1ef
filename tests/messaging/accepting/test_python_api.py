"""Sending from Python."""

from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync

from messaging.accepting.python_api import (
    asend_template_message,
    asend_text_message,
    send_template_message,
    send_text_message,
)
from messaging.accepting.sending_numbers import UnknownNumber
from messaging.contacts.phone_numbers import InvalidPhoneNumber
from messaging.models import Message, Priority
from messaging.whatsapp.outbound import InvalidContent


@pytest.mark.django_db(transaction=True)
def test_the_documented_example_works() -> None:
    message_id: UUID = async_to_sync(asend_text_message)(
        phone_number="+1234567890", text="Hello from Python!", priority="normal"
    )
    assert Message.objects.get(id=message_id).text == "Hello from Python!"


@pytest.mark.django_db(transaction=True)
def test_a_template_goes_the_same_way() -> None:
    message_id: UUID = async_to_sync(asend_template_message)("+16502530000", "hello_world", "en_US")
    assert Message.objects.get(id=message_id).type == "template"


BAD: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"phone_number": "hello"}, InvalidPhoneNumber),
    ({"text": ""}, InvalidContent),
    ({"text": "x" * 4097}, InvalidContent),
    ({"text": "nul \x00"}, InvalidContent),
    ({"priority": "urgent"}, ValueError),
    ({"sender": "999"}, UnknownNumber),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("changes", "error"), BAD, ids=str)
def test_bad_arguments_raise_and_store_nothing(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        send_text_message(**{"phone_number": "+16502530000", "text": "hi", **changes})
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_template_without_a_language_raises() -> None:
    with pytest.raises(InvalidContent):
        send_template_message("+16502530000", "hello", "")


@pytest.mark.django_db
@pytest.mark.parametrize("priority", list(Priority))
def test_every_priority_has_its_name(priority: Priority) -> None:
    message_id = send_text_message("+16502530000", "hi", priority=priority.name.lower())
    assert Message.objects.get(id=message_id).priority == priority
