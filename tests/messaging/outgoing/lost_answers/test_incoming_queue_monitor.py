"""The dispatcher's monitor of the incoming queue."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from messaging.outgoing.lost_answers.incoming_queue_monitor import IncomingQueueMonitor
from tests.waiting import eventually, never
from waproject.queues import LANES
from waproject.sqs import control

pytestmark = pytest.mark.django_db
THREAD = "incoming-queue-check"


@pytest.fixture
def monitor() -> Iterator[IncomingQueueMonitor]:
    """A monitor whose thread ends with the test."""
    one = IncomingQueueMonitor()
    yield one
    one.stop()


def is_polling() -> bool:
    return any(thread.name == THREAD for thread in threading.enumerate())


def test_an_empty_moment_is_remembered_when_the_queue_fills_again(sqs: Any, monitor: IncomingQueueMonitor) -> None:
    started = timezone.now()
    assert eventually(lambda: (seen := monitor.evidence()) and seen.empty_at)
    sqs.send_message(QueueUrl=LANES["incoming"].url, MessageBody="a status")
    seen = monitor.evidence()
    assert seen is not None
    assert seen.has_everything_between(started, started)


def test_a_queue_that_is_never_empty_is_no_evidence(sqs: Any, monitor: IncomingQueueMonitor) -> None:
    sqs.send_message(QueueUrl=LANES["incoming"].url, MessageBody="a status")
    started = timezone.now()
    assert eventually(monitor.evidence)
    assert not monitor.evidence().has_everything_between(started, started)  # type: ignore[union-attr]


def test_there_is_no_evidence_while_sqs_does_not_answer(sqs_away: None, monitor: IncomingQueueMonitor) -> None:
    control.client.cache_clear()
    assert never(monitor.evidence, 1)
    control.client.cache_clear()


def test_stop_ends_the_thread(sqs: Any, monitor: IncomingQueueMonitor) -> None:
    monitor.evidence()
    before = is_polling()
    monitor.stop()
    assert (before, is_polling()) == (True, False)


@pytest.fixture
def polled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    """The queues whose depth was requested, and when."""
    requests: list[tuple[str, datetime]] = []
    depth: Callable[[Any, str], control.Depth] = control.depth

    def recorded(client: Any, url: str) -> control.Depth:
        requests.append((url, timezone.now()))
        return depth(client, url)

    monkeypatch.setattr(control, "depth", recorded)
    return requests


def test_the_queue_counts_as_empty_from_before_the_request(
    sqs: Any, monitor: IncomingQueueMonitor, polled: list[tuple[str, datetime]]
) -> None:
    empty_at = monitor._poll().empty_at
    assert empty_at is not None
    assert empty_at <= polled[0][1]


def test_the_dead_letter_queue_is_polled_after_the_queue(
    sqs: Any, monitor: IncomingQueueMonitor, polled: list[tuple[str, datetime]]
) -> None:
    monitor._poll()
    assert [url for url, _ in polled] == [LANES["incoming"].url, LANES["incoming"].dlq_url]
