"""Exhausted messages: to the dead-letter queue, and back once per generation."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging import dispatch
from messaging.models import Message
from messaging.outgoing.redrive import exhausted_messages, mark_dead_lettered, redrive, send_again
from messaging.outgoing.tasks import revive
from messaging.states import Status
from messaging.task_publisher import SqsUnavailable
from messaging.whatsapp.errors import Rejected, Unavailable
from tests.messaging.factories import answered, claimed, in_state, states_of
from waproject.queues import LANES

pytestmark = pytest.mark.django_db
BUSY = Unavailable(code=2, title="busy")


def exhausted() -> Message:
    """A message whose attempts are used up."""
    row = claimed()
    Message.objects.update(attempts=4)
    return answered(replace(row, attempts=4), BUSY)


def dead_letters(sqs: Any) -> list[Any]:
    """Name and arguments of the tasks on the outgoing dead-letter queue."""
    answer = sqs.receive_message(QueueUrl=LANES["outgoing"].dlq_url, MaxNumberOfMessages=10)
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [(body["headers"]["task"], json.loads(body["body"])[0]) for body in bodies]


def test_a_message_whose_attempts_are_used_up_is_exhausted_messages() -> None:
    message = exhausted()
    assert (message.status, [letter.message_id for letter in exhausted_messages()]) == ("failed", [message.id])


def test_a_message_that_meta_rejects_is_not_exhausted() -> None:
    answered(claimed(), Rejected(code=131026))
    assert exhausted_messages() == []


def test_the_dispatcher_publishes_it_to_the_dead_letter_queue_once(sqs: Any) -> None:
    message = exhausted()
    for _ in range(2):
        dispatch._publish_exhausted()
    assert dead_letters(sqs) == [("messaging.revive", [str(message.id), 0])]


def test_during_an_sqs_outage_it_stays_in_the_outbox(sqs_away: None) -> None:
    exhausted()
    with pytest.raises(SqsUnavailable):
        dispatch._publish_exhausted()
    assert len(exhausted_messages()) == 1


def test_a_redriven_message_starts_with_no_attempts() -> None:
    message = exhausted()
    mark_dead_lettered(exhausted_messages())
    revive(str(message.id), 0)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.generation, message.exhausted_at) == ("pending", 0, 1, None)


def test_a_duplicate_task_redrives_nothing() -> None:
    message = exhausted()
    assert [redrive(message.id, 0), redrive(message.id, 0)] == [True, False]


def test_a_task_of_an_earlier_generation_redrives_nothing() -> None:
    message = exhausted()
    redrive(message.id, 0)
    Message.objects.update(status="failed")
    assert (redrive(message.id, 0), redrive(message.id, 1)) == (False, True)


def test_a_message_that_is_exhausted_again_while_its_first_task_is_published_gets_a_second_task() -> None:
    message = exhausted()
    letters = exhausted_messages()
    redrive(message.id, 0)
    Message.objects.update(status="failed", exhausted_at=timezone.now())
    mark_dead_lettered(letters)
    assert [letter.generation for letter in exhausted_messages()] == [1]


def test_a_message_that_was_delivered_meanwhile_is_not_redriven() -> None:
    message = in_state(Status.DELIVERED)
    assert not redrive(message.id, 0)


def test_a_message_that_an_operator_sends_again_leaves_the_outbox() -> None:
    send_again([exhausted().id], by="ann")
    assert exhausted_messages() == []


def test_a_message_whose_text_was_deleted_is_not_sent_without_it() -> None:
    message = exhausted()
    Message.objects.update(content={}, text="", content_deleted_at=timezone.now())
    assert (redrive(message.id, 0), send_again([message.id], by="ann")) == (False, [])


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_task_redrive_it_once() -> None:
    message = exhausted()
    results: list[bool] = []

    def work() -> None:
        results.append(redrive(message.id, 0))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(results), states_of(message.id)) == ([False, False, False, True], ["pending"])
