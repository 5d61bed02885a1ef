"""Exhausted messages: to the dead-letter queue, and back once."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from messaging import dispatch
from messaging.models import Message
from messaging.outgoing.redrive import dead_lettered, exhausted, revive, send_again
from messaging.outgoing.tasks import revive as revive_task
from messaging.states import Status
from messaging.task_publisher import SqsAway
from messaging.whatsapp.errors import Rejected, Unavailable
from tests.messaging.factories import answered, claimed, in_state, states_of
from waproject.queues import LANES

pytestmark = pytest.mark.django_db
BUSY = Unavailable(code=2, title="busy")


def used_up() -> Message:
    """A message whose attempts are used up."""
    row = claimed()
    Message.objects.update(attempts=4)
    return answered(replace(row, attempts=4), BUSY)


def dead_letters(sqs: Any) -> list[Any]:
    """Name and arguments of the tasks on the outgoing dead-letter queue."""
    answer = sqs.receive_message(QueueUrl=LANES["outgoing"].dlq_url, MaxNumberOfMessages=10)
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [(body["headers"]["task"], json.loads(body["body"])[0]) for body in bodies]


def test_a_message_whose_attempts_are_used_up_is_exhausted() -> None:
    message = used_up()
    assert (message.status, [letter.message_id for letter in exhausted()]) == ("failed", [message.id])


def test_one_that_can_never_go_is_not() -> None:
    answered(claimed(), Rejected(code=131026))
    assert exhausted() == []


def test_the_dispatcher_puts_it_on_the_dead_letter_queue_once(sqs: Any) -> None:
    message = used_up()
    for _ in range(2):
        dispatch._drain_exhausted()
    assert dead_letters(sqs) == [("messaging.revive", [str(message.id), 0])]


def test_with_sqs_away_it_stays_in_the_outbox(sqs_away: None) -> None:
    used_up()
    with pytest.raises(SqsAway):
        dispatch._drain_exhausted()
    assert len(exhausted()) == 1


def test_revived_it_starts_afresh() -> None:
    message = used_up()
    dead_lettered(exhausted())
    revive_task(str(message.id), 0)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.generation, message.exhausted_at) == ("pending", 0, 1, None)


def test_a_copy_of_the_task_revives_nothing() -> None:
    message = used_up()
    assert [revive(message.id, 0), revive(message.id, 0)] == [True, False]


def test_a_copy_from_an_earlier_life_revives_nothing() -> None:
    message = used_up()
    revive(message.id, 0)
    Message.objects.update(status="failed")
    assert (revive(message.id, 0), revive(message.id, 1)) == (False, True)


def test_what_was_delivered_meanwhile_is_not_revived() -> None:
    message = in_state(Status.DELIVERED)
    assert not revive(message.id, 0)


def test_what_an_operator_has_sent_again_leaves_the_outbox() -> None:
    send_again([used_up().id], by="ann")
    assert exhausted() == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_copy_revive_it_once() -> None:
    message = used_up()
    results: list[bool] = []

    def work() -> None:
        results.append(revive(message.id, 0))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(results), states_of(message.id)) == ([False, False, False, True], ["pending"])
