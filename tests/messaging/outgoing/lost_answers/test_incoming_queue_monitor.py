"""The dispatcher's watch on the incoming queue."""

from typing import Any

import pytest
from django.utils import timezone

from messaging.outgoing.lost_answers.incoming_queue_monitor import IncomingWatch
from tests.processes import eventually
from waproject.queues import LANES
from waproject.sqs import control

pytestmark = pytest.mark.django_db


def test_an_empty_moment_is_remembered_when_the_queue_fills_again(sqs: Any) -> None:
    watch, started = IncomingWatch(), timezone.now()
    assert eventually(lambda: (seen := watch.evidence()) and seen.empty_at)
    sqs.send_message(QueueUrl=LANES["incoming"].url, MessageBody="a status")
    seen = watch.evidence()
    assert seen is not None
    assert seen.vouches_for(started, started)


def test_a_queue_that_is_never_empty_vouches_for_nothing(sqs: Any) -> None:
    sqs.send_message(QueueUrl=LANES["incoming"].url, MessageBody="a status")
    watch, started = IncomingWatch(), timezone.now()
    assert eventually(watch.evidence)
    assert not watch.evidence().vouches_for(started, started)  # type: ignore[union-attr]


def test_nothing_is_known_while_sqs_does_not_answer(sqs_away: None) -> None:
    control.client.cache_clear()
    assert not eventually(IncomingWatch().evidence, timeout=1)
    control.client.cache_clear()
