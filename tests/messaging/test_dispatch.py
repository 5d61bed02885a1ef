"""The dispatcher's loop."""

import json
import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from messaging import dispatch
from messaging.dispatch import Dispatcher
from messaging.models import Message
from messaging.services import claim
from tests.messaging.factories import pending
from waproject.queues import LANES

pytestmark = pytest.mark.django_db


def tasks(sqs: Any) -> list[Any]:
    """The arguments of the tasks on the outgoing queue."""
    answer = sqs.receive_message(QueueUrl=LANES["outgoing"].url, MaxNumberOfMessages=10)
    return [json.loads(json.loads(message["Body"])["body"])[0] for message in answer.get("Messages", [])]


def test_a_tick_puts_due_messages_on_the_outgoing_queue(sqs: Any) -> None:
    rows = pending(3)
    Dispatcher().tick()
    ((_, message_ids),) = tasks(sqs)
    assert message_ids == [str(row.id) for row in rows]


def test_a_worker_can_claim_what_the_task_names(sqs: Any) -> None:
    pending(3)
    Dispatcher().tick()
    ((release_id, message_ids),) = tasks(sqs)
    assert len(claim(UUID(release_id), [UUID(message_id) for message_id in message_ids])) == 3


def test_a_second_tick_sends_nothing_twice(sqs: Any) -> None:
    pending(3)
    dispatcher = Dispatcher()
    dispatcher.tick()
    dispatcher.tick()
    assert len(tasks(sqs)) == 1


def test_with_sqs_away_messages_wait_where_they_can_be_cancelled(sqs_away: None) -> None:
    pending(3)
    Dispatcher().tick()
    assert set(Message.objects.values_list("status", "releases")) == {("pending", 0)}


@pytest.mark.parametrize("error", [OperationalError("away"), ValueError("a row that breaks a sweep")])
def test_it_goes_on_after_an_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "DATABASE_WAIT_S", 0.01)
    monkeypatch.setattr(dispatch, "ERROR_WAIT_S", 0.01)
    monkeypatch.setattr("messaging.dispatch.connection.close", lambda: None)
    dispatcher, ticks = Dispatcher(), threading.Semaphore(0)

    def tick() -> None:
        ticks.release()
        raise error

    monkeypatch.setattr(dispatcher, "tick", tick)
    threading.Thread(target=dispatcher.run, daemon=True).start()
    went_on = [ticks.acquire(timeout=5) for _ in range(3)]
    dispatcher.stop()
    assert went_on == [True] * 3
