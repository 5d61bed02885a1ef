"""Old events of clients go by their own period, and no others."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from analytics import retention
from analytics.models import Event
from messaging.models import RetentionProgress
from messaging.retention.deletion_steps import run_step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def periods(settings: Any) -> None:
    """Events for 40 days, all else for ever."""
    settings.RETENTION_EVENTS_DAYS, settings.RETENTION_UNKNOWN_UPDATES_DAYS = 40, 0


def event(occurred: float, stored: float) -> None:
    """An event that happened and was stored so many days ago."""
    now = timezone.now()
    Event.objects.create(
        event_type="order", source="api",
        occurred_at=now - timedelta(days=occurred), stored_at=now - timedelta(days=stored),
    )  # fmt: skip


def run_all() -> None:
    """Every rule, to its end."""
    while run_step():
        pass


@pytest.mark.parametrize(
    ("occurred", "stored", "left"),
    [(40.1, 40.1, 0), (39.9, 39.9, 1), (400, 39.9, 1), (39.9, 400, 1), (400, 400, 0), (-9000, 400, 0), (-1, 39.9, 1)],
)
def test_an_event_goes_when_it_happened_and_was_stored_before_the_period(
    occurred: float, stored: float, left: int
) -> None:
    event(occurred, stored)
    run_all()
    assert Event.objects.count() == left


def test_without_a_period_events_stay(settings: Any) -> None:
    settings.RETENTION_EVENTS_DAYS = 0
    event(4000, 4000)
    run_all()
    assert Event.objects.count() == 1


def test_more_old_events_than_one_step_may_remove_all_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS", 2)
    for days in (50, 51, 52, 53, 54, 10):
        event(days, days)
    run_step()
    after_one_step = Event.objects.count()
    run_all()
    removed = RetentionProgress.objects.get(rule="events").removed
    assert (after_one_step, Event.objects.count(), removed) == (4, 1, 5)
