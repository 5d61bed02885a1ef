"""The dispatcher's watch on the incoming queue."""

from datetime import datetime
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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    """The queues whose depth was asked for, and when."""
    found: list[tuple[str, datetime]] = []
    ask = control.depth

    def depth(client: Any, url: str) -> control.Depth:
        found.append((url, timezone.now()))
        return ask(client, url)

    monkeypatch.setattr(control, "depth", depth)
    return found


def test_the_queue_counts_as_empty_from_before_sqs_was_asked(sqs: Any, asked: list[tuple[str, datetime]]) -> None:
    empty_at = IncomingWatch()._look().empty_at
    assert empty_at is not None
    assert empty_at <= asked[0][1]


def test_a_message_that_goes_to_the_dead_letter_queue_during_a_look_is_seen_there(
    sqs: Any, asked: list[tuple[str, datetime]]
) -> None:
    IncomingWatch()._look()
    assert [url for url, _ in asked] == [LANES["incoming"].url, LANES["incoming"].dlq_url]
