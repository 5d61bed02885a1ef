"""Counters of status changes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import monitoring_queries as queries
from messaging.models import MessageEvent
from messaging.monitoring_queries import EventRange, newest_event_id
from messaging.whatsapp.errors import Rejected, Unavailable
from monitoring.metrics import message_counts
from monitoring.metrics import totals as counts
from monitoring.metrics.message_counts import FAILURES, MESSAGES, RETRIES, SEND_LATENCY, count_new_events
from monitoring.models import Position
from tests.messaging.factories import accepted, answered, claimed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _count_only_new_events() -> None:
    count_new_events()


def count_settled() -> None:
    """Count, with all events older than the margin."""
    MessageEvent.objects.update(recorded_at=timezone.now() - timedelta(minutes=1))
    count_new_events()


def test_each_state_that_a_message_reaches_is_counted_once() -> None:
    answered(claimed(), accepted())
    count_settled()
    count_settled()
    totals = counts.totals()
    assert [totals[MESSAGES.name, state] for state in ("pending", "queued", "sending", "accepted")] == [1, 1, 1, 1]


def test_the_newest_events_are_left_for_the_next_tick() -> None:
    answered(claimed(), accepted())
    count_new_events()
    assert [series for series in counts.totals() if series[0] == MESSAGES.name] == []


def test_the_time_until_meta_accepted_is_in_the_histogram() -> None:
    answered(claimed(), accepted())
    count_settled()
    assert (
        sum(
            counts.totals().get((SEND_LATENCY.name, "normal", bound), 0)
            for bound in ("0.1", "0.25", "0.5", "1.0", "2.5", "5.0")
        )
        == 1
    )


def test_a_failure_is_counted_by_its_code() -> None:
    answered(claimed(), Rejected(code=131026, title="Message undeliverable"))
    count_settled()
    assert counts.totals()[FAILURES.name, "131026"] == 1


def test_a_retry_is_counted_by_its_code() -> None:
    answered(claimed(), Unavailable(code=131000, title="Something went wrong"))
    count_settled()
    assert counts.totals()[RETRIES.name, "131000"] == 1


def settle() -> None:
    MessageEvent.objects.update(recorded_at=timezone.now() - timedelta(minutes=1))


def test_many_events_are_counted_in_several_statements_and_the_rest_at_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered(claimed(), accepted("wamid.1"))
    count_settled()
    before = newest_event_id()
    answered(claimed(peer="15557654321"), accepted("wamid.2"))
    settle()
    made = newest_event_id() - before
    assert made >= 4
    monkeypatch.setattr(message_counts, "ROWS", 1)
    monkeypatch.setattr(message_counts, "STATEMENTS", 2)
    assert [count_new_events(), count_new_events()] == [2, 2]
    monkeypatch.setattr(message_counts, "STATEMENTS", 50)
    count_new_events()
    assert count_new_events() == 0
    totals = counts.totals()
    assert [totals[MESSAGES.name, state] for state in ("pending", "queued", "sending", "accepted")] == [2, 2, 2, 2]


def test_the_first_count_begins_at_the_newest_event() -> None:
    Position.objects.all().delete()
    answered(claimed(), accepted())
    settle()
    assert count_new_events() == 0
    assert list(Position.objects.values_list("name", "event_id")) == [("message-events", newest_event_id())]


def test_changes_and_latencies_are_added_up_by_their_series(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [("sent", None, 3), ("failed", "131026", 2), ("pending", "131000", 1), ("failed", "131047", 4)]
    latencies = [("normal", 0, 2, 0.1), ("normal", 12, 1, 9000.0), ("high", 13, 5, 99000.0)]
    monkeypatch.setattr(queries, "status_change_counts", lambda _: changes)
    monkeypatch.setattr(
        queries, "latency_buckets", lambda _, bounds: latencies if bounds == SEND_LATENCY.bounds else []
    )
    assert message_counts._increments(EventRange(1, 9)) == {
        (MESSAGES.name, "sent"): 3,
        (MESSAGES.name, "failed"): 6,
        (FAILURES.name, "131026"): 2,
        (FAILURES.name, "131047"): 4,
        (MESSAGES.name, "pending"): 1,
        (RETRIES.name, "131000"): 1,
        (SEND_LATENCY.name, "normal", "0.1"): 2,
        (SEND_LATENCY.name, "normal", "14400.0"): 1,
        (SEND_LATENCY.name, "normal", "sum"): 9000.1,
        (SEND_LATENCY.name, "high", "+Inf"): 5,
        (SEND_LATENCY.name, "high", "sum"): 99000.0,
    }
