"""Old rows of the smaller tables go by their own period, and no others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from analytics.models import Event
from messaging.models import AccountEvent, Attempt, AuditEntry, MessageEvent, RetentionProgress, UnknownUpdate
from messaging.retention import OldRows, OldRowsByTime, Step, registered
from messaging.retention.deletion_steps import PASS_EVERY, run_step
from tests.messaging.factories import pending
from tests.messaging.plans import repeat_subqueries
from tests.messaging.retention.old_rows import days_ago
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db

SETTINGS = {
    f"RETENTION_{kind}_DAYS"
    for kind in ("TEXTS", "FILES", "TIMELINE", "MESSAGES", "ACCOUNT_EVENTS", "UNKNOWN_UPDATES", "AUDIT", "EVENTS")
}


def timeline(at: datetime) -> None:
    """A line in the timeline of a message that waits."""
    (row,) = pending()
    MessageEvent.objects.filter(message=row).delete()
    MessageEvent.objects.create(message=row, status="pending", at=timezone.now(), recorded_at=at, source="api")


def attempt(at: datetime) -> None:
    """A call of the Cloud API."""
    (row,) = pending()
    Attempt.objects.create(message=row, n=1, outcome="accepted", at=at)


def account_event(at: datetime) -> None:
    """An account event, received at this time."""
    digest = str(AccountEvent.objects.count())
    AccountEvent.objects.create(kind="account_update", raw={}, digest=digest, at=timezone.now(), received_at=at)


def unknown_update(at: datetime) -> None:
    """A part of a webhook that nothing here knows, received first a year ago."""
    digest = str(UnknownUpdate.objects.count())
    UnknownUpdate.objects.create(kind="new", raw={}, digest=digest, received_at=days_ago(365), last_seen_at=at)


def event(at: datetime) -> None:
    """An event of a client; its key says nothing of time."""
    Event.objects.create(event_type="order", data={}, source="api", occurred_at=at, stored_at=at)


def audit_entry(at: datetime) -> None:
    """An audit entry."""
    AuditEntry.objects.create(at=at, who="ann", action="erase", object="a person")


@dataclass(frozen=True)
class Kind:
    """A rule, its setting, its table, and what makes a row of a given time."""

    rule: str
    setting: str
    table: Any
    make: Callable[[datetime], None]


KINDS = (
    Kind("timeline", "RETENTION_TIMELINE_DAYS", MessageEvent, timeline),
    Kind("attempts", "RETENTION_TIMELINE_DAYS", Attempt, attempt),
    Kind("account events", "RETENTION_ACCOUNT_EVENTS_DAYS", AccountEvent, account_event),
    Kind("unknown updates", "RETENTION_UNKNOWN_UPDATES_DAYS", UnknownUpdate, unknown_update),
    Kind("audit", "RETENTION_AUDIT_DAYS", AuditEntry, audit_entry),
    Kind("events", "RETENTION_EVENTS_DAYS", Event, event),
)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.rule for kind in KINDS])


@pytest.fixture(autouse=True)
def for_ever(settings: Any) -> None:
    """No period, until a test sets one."""
    for name in SETTINGS:
        setattr(settings, name, 0)


def run_all(now: datetime | None = None) -> None:
    """Every rule, to its end."""
    while run_step(now):
        pass


@every_kind
@pytest.mark.parametrize(("days", "left"), [(39.9, 1), (40.1, 0)])
def test_the_period_is_exact_from_both_sides(kind: Kind, days: float, left: int, settings: Any) -> None:
    setattr(settings, kind.setting, 40)
    kind.make(days_ago(days))
    run_all()
    assert kind.table.objects.count() == left


# Ages by key, in days: old rows behind young ones, between them, and before.
ORDERS = {
    "in the order of time": (50, 49, 48, 47, 46, 3, 2, 1),
    "an old row between": (50, 3, 49, 48, 2, 1),
    "old rows behind": (3, 50, 49, 48, 47, 46),
    "the oldest last": (44, 3, 45, 2, 46, 1, 47),
}


@every_kind
@pytest.mark.parametrize("ages", ORDERS.values(), ids=ORDERS)
def test_all_old_rows_go_in_one_pass_and_no_young_one(
    kind: Kind, ages: tuple[int, ...], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    setattr(settings, kind.setting, 40)
    (rule,) = (rule for rule in registered() if rule.name == kind.rule)
    # Four rows a step, instead of 500.
    step: Any = rule.step
    small = replace(step, rows=4) if isinstance(step, OldRows | OldRowsByTime) else step
    for age in ages:
        kind.make(days_ago(age))
    cutoff = rule.cutoff()
    assert cutoff is not None
    position, is_end = "", False
    while not is_end:
        done = small(cutoff, position)
        position, is_end = done.position, done.is_end
    assert kind.table.objects.count() == sum(age < 40 for age in ages)


@pytest.mark.parametrize("young", [5, 50])
def test_updates_that_came_again_do_not_keep_older_ones(young: int, settings: Any) -> None:
    settings.RETENTION_UNKNOWN_UPDATES_DAYS = 40
    for age in (*[1] * young, 50, 50):
        unknown_update(days_ago(age))
    OldRowsByTime("messaging_unknownupdate", "last_seen_at", rows=4)(days_ago(40), "")
    assert UnknownUpdate.objects.count() == young


def test_a_step_deletes_no_more_rows_than_its_share() -> None:
    for _ in range(6):
        unknown_update(days_ago(50))
    repeat_subqueries()
    assert OldRowsByTime("messaging_unknownupdate", "last_seen_at", rows=2)(days_ago(40), "") == Step("", 2, False)


@pytest.mark.django_db(transaction=True)
def test_an_old_update_that_comes_again_just_now_stays() -> None:
    unknown_update(days_ago(50))
    steps: list[Step] = []

    def work() -> None:
        try:
            steps.append(OldRowsByTime("messaging_unknownupdate", "last_seen_at")(days_ago(40), ""))
        finally:
            connection.close()

    thread = Thread(target=work)
    with transaction.atomic():
        UnknownUpdate.objects.update(last_seen_at=timezone.now())
        thread.start()
        thread.join(PATIENCE_S)
        waited = thread.is_alive()
    thread.join()
    assert (waited, steps, UnknownUpdate.objects.count()) == (False, [Step("", 0, True)], 1)


@every_kind
def test_the_periods_of_other_kinds_leave_its_rows_alone(kind: Kind, settings: Any) -> None:
    for other in SETTINGS - {kind.setting, "RETENTION_MESSAGES_DAYS"}:
        setattr(settings, other, 40)
    kind.make(days_ago(4000))
    run_all()
    assert kind.table.objects.count() == 1


@every_kind
def test_the_progress_counts_what_was_removed_in_all_passes(kind: Kind, settings: Any) -> None:
    setattr(settings, kind.setting, 40)
    kind.make(days_ago(50))
    run_all()
    kind.make(days_ago(45))
    kind.make(days_ago(44))
    run_all(timezone.now() + PASS_EVERY + timedelta(minutes=1))
    assert RetentionProgress.objects.get(rule=kind.rule).removed == 3


@pytest.mark.parametrize(
    ("days", "position_of", "removed", "is_end"),
    [
        ((50, 49, 48), 1, 2, False),  # as many as a step may remove: there may be more
        ((50, 49), 1, 2, False),
        ((50, 1), 0, 1, False),  # an old one may follow
        ((1, 50), None, 1, False),  # the first is looked at again
        ((1, 2, 50), None, 0, True),
        ((50,), 0, 1, True),
        ((1,), None, 0, True),
        ((), None, 0, True),
    ],
)
def test_a_step_says_how_far_it_came_and_whether_more_is_left(
    days: tuple[int, ...], position_of: int | None, removed: int, is_end: bool
) -> None:
    for age in days:
        audit_entry(days_ago(age))
    keys = list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))
    step = OldRows("messaging_auditentry", "at", rows=2)(days_ago(40), "")
    assert (step.position, step.removed, step.is_end) == (
        "" if position_of is None else str(keys[position_of]), removed, is_end,
    )  # fmt: skip


def test_a_step_looks_at_no_key_twice() -> None:
    for age in (50, 49):
        audit_entry(days_ago(age))
    first, second = AuditEntry.objects.order_by("pk").values_list("pk", flat=True)
    step = OldRows("messaging_auditentry", "at", rows=2)(days_ago(40), str(first))
    assert (step.position, list(AuditEntry.objects.values_list("pk", flat=True))) == (str(second), [first])


def test_the_first_key_of_a_table_is_looked_at_too() -> None:
    AuditEntry.objects.create(pk=1, at=days_ago(50), who="ann", action="erase", object="a person")
    step = OldRows("messaging_auditentry", "at")(days_ago(40), "")
    assert (step.removed, AuditEntry.objects.count()) == (1, 0)


def test_a_step_that_finds_nothing_old_stays_where_it_is() -> None:
    audit_entry(days_ago(1))
    assert OldRows("messaging_auditentry", "at")(days_ago(40), "7").position == "7"
