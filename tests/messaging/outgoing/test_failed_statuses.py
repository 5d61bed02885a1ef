"""What is not sent again after a `failed` status: other apps' messages, and those whose text is deleted."""

import pytest
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.models import BusinessNumber, Message
from messaging.outgoing import NotPossible, retry
from messaging.outgoing.redrive import exhausted_messages, redrive, send_again
from messaging.states import Status
from tests.messaging.bodies import status, webhook
from tests.messaging.factories import in_state

pytestmark = pytest.mark.django_db
BUSY = [{"code": 131000, "title": "busy"}]
UNPAID = [{"code": 131042, "title": "a payment is due"}]


def echo() -> None:
    """The webhook of a message that a person has sent by the phone app."""
    body = webhook(statuses=(status("sent"),))
    change = body["entry"][0]["changes"][0]
    text = {"from": "15550783881", "to": "15551230001", "id": "wamid.E", "timestamp": "1790000000", "type": "text"}
    change["field"] = "smb_message_echoes"
    change["value"] = {"metadata": change["value"]["metadata"], "message_echoes": [{**text, "text": {"body": "hi"}}]}
    receive(body)


def failed_echo() -> Message:
    echo()
    receive(webhook(statuses=(status("failed", "wamid.E", errors=BUSY),)))
    return Message.objects.get()


def without_text() -> Message:
    message = in_state(Status.ACCEPTED, wamid="wamid.E", content={}, text="", content_deleted_at=timezone.now())
    receive(webhook(statuses=(status("failed", "wamid.E", errors=BUSY),)))
    return Message.objects.get(pk=message.pk)


def test_a_message_of_the_phone_app_that_has_failed_is_not_sent_by_us() -> None:
    assert failed_echo().status == "failed"


def test_nor_on_anyones_order() -> None:
    message = failed_echo()
    assert (redrive(message.id, 0), send_again([message.id], by="ann")) == (False, [])
    with pytest.raises(NotPossible, match=r"cannot be retried\. Another app has sent it"):
        retry(message, "ann")


def test_its_failure_pauses_the_number_as_that_of_any_other() -> None:
    echo()
    receive(webhook(statuses=(status("failed", "wamid.E", errors=UNPAID),)))
    assert (Message.objects.get().status, BusinessNumber.objects.get().paused_at is None) == ("failed", False)


def test_a_message_that_fails_after_its_text_was_deleted_is_not_sent_without_it() -> None:
    assert without_text().status == "failed"


def test_nor_does_it_go_to_the_dead_letter_queue() -> None:
    message = in_state(
        Status.ACCEPTED, wamid="wamid.E", content={}, text="", content_deleted_at=timezone.now(), attempts=5
    )
    receive(webhook(statuses=(status("failed", "wamid.E", errors=BUSY),)))
    message.refresh_from_db()
    assert (message.status, exhausted_messages()) == ("failed", [])
