"""Counters of status changes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import MessageEvent
from messaging.whatsapp.errors import Rejected, Unavailable
from monitoring.metrics import totals as counts
from monitoring.metrics.message_counts import FAILURES, MESSAGES, RETRIES, SEND_LATENCY, count_new_events
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
