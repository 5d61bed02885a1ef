"""Replays of what has no content any more."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.erasure.erase import erase
from messaging.erasure.person import person_of
from messaging.incoming.store import receive
from messaging.models import ApiClient, Delivery, Message, Subscription
from messaging.subscriptions.changes import ContentDeleted, replay, replay_failed
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.subscriptions.factories import subscription, tell, waiting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sqs")]
PEER = "15550001111"


def inbound() -> Message:
    """A user's message."""
    receive(webhook(inbound_text(sender=PEER)))
    return Message.objects.get()


def failed(event: str, message: Message) -> Delivery:
    over: dict[str, Any] = {"state": "failed", "finished_at": timezone.now()}
    (row,) = waiting(subscription(), event=event, message=message, **over)
    return row


def text_is_deleted(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(content={}, text="", content_deleted_at=timezone.now())


def person_is_erased(message: Message) -> None:
    erase(person_of(message.peer), "tests", forget_objection=False)


@pytest.mark.parametrize(
    ("event", "end", "replayed"),
    [
        ("message.received", None, True),
        ("message.received", text_is_deleted, False),
        ("message.received", person_is_erased, False),
        ("message.media", text_is_deleted, True),
        ("message.media", person_is_erased, False),
    ],
)
def test_a_delivery_is_replayed_only_while_its_content_is_stored(event: str, end: object, replayed: bool) -> None:
    row = failed(event, message := inbound())
    if callable(end):
        end(message)
    assert replay_failed(row.subscription, timezone.now() - timedelta(days=1), "tests") == int(replayed)
    Delivery.objects.update(state="failed", finished_at=timezone.now())
    row.refresh_from_db()
    if replayed:
        assert replay(row, "tests")
    else:
        with pytest.raises(ContentDeleted):
            replay(row, "tests")


@pytest.mark.parametrize("end", [text_is_deleted, person_is_erased])
def test_a_message_that_is_emptied_before_its_delivery_is_not_delivered(end: object) -> None:
    message = inbound()
    waiting(subscription(), event="message.received", message=message)
    if callable(end):
        end(message)
    assert tell() == []


def test_the_replay_of_a_delivery_without_content_is_a_409_with_the_reason(api: APIClient) -> None:
    row = failed("message.received", message := inbound())
    Subscription.objects.update(client=ApiClient.objects.get())
    text_is_deleted(message)
    answer = api.post(f"/messaging/deliveries/{row.pk}/replay")
    assert (answer.status_code, "content of its message is deleted" in answer.json()["detail"]) == (409, True)
