"""Retention goes in short steps, in one process at a time, and continues where a killed one stopped."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.checks import Error
from django.core.management import call_command
from django.db import DataError, connection, transaction
from django.utils import timezone

from messaging.models import Message, RetentionProgress
from messaging.retention import checks, deletion_steps, is_beyond_retention, messages
from messaging.retention.deletion_steps import housekeeping, run_step
from messaging.retention.rules import Rule, Step
from tests.messaging.retention.old_rows import days_ago, old_message
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def periods(settings: Any) -> None:
    """Messages for 60 days."""
    settings.RETENTION_MESSAGES_DAYS = 60
    settings.RETENTION_UNKNOWN_UPDATES_DAYS = 0


@pytest.mark.django_db
def test_a_step_removes_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "ROWS", 3)
    for n in range(5):
        old_message(70 + n)
    run_step()
    assert Message.objects.count() == 2


@pytest.mark.django_db
def test_the_next_step_goes_on_behind_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "ROWS", 3)
    for n in range(5):
        old_message(70 + n)
    while run_step():
        pass
    assert (Message.objects.count(), RetentionProgress.objects.get(rule="messages").removed) == (0, 5)


@pytest.mark.django_db
def test_a_step_that_fails_changes_neither_rows_nor_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    old_message(70)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(RetentionProgress, "save", fail)
    with pytest.raises(RuntimeError):
        run_step()
    progress = RetentionProgress.objects.values_list("rule", "position", "removed")
    assert (Message.objects.count(), list(progress)) == (1, [("messages", "", 0)])


@pytest.mark.django_db
def test_a_rule_that_fails_keeps_no_other_from_its_work_and_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stepped: list[str] = []

    def fail(*_: Any) -> Step:
        stepped.append("first")
        raise DataError

    def work(*_: Any) -> Step:
        stepped.append("second")
        return Step("", 0, is_end=False)

    rules = [Rule(step.__name__, "", "RETENTION_MESSAGES_DAYS", 0, step) for step in (fail, work)]
    monkeypatch.setattr(deletion_steps, "registered", lambda: rules)
    now = timezone.now()
    with pytest.raises(DataError):
        run_step(now)
    assert run_step(now)
    later = now + deletion_steps.RETRY_AFTER
    assert run_step(later)
    with pytest.raises(DataError):
        run_step(later)
    assert stepped == ["first", "second", "second", "first"]


@pytest.mark.django_db
def test_rules_whose_pass_is_long_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    stepped: list[str] = []

    def step_of(name: str) -> Rule:
        def step(*_: Any) -> Step:
            stepped.append(name)
            return Step("5", 1, is_end=False)

        return Rule(name, "", "RETENTION_MESSAGES_DAYS", 0, step)

    rules = [step_of(name) for name in ("texts", "files", "audit")]
    monkeypatch.setattr(deletion_steps, "registered", lambda: rules)
    now = timezone.now()
    RetentionProgress.objects.create(rule="audit", next_at=now)
    for second in range(1, 7):
        run_step(now + timedelta(seconds=second))
    assert stepped == ["texts", "files", "audit"] * 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "position"),
    [(timedelta(days=7), ""), (timedelta(days=7) - timedelta(seconds=1), "5")],
    ids=["a week", "less"],
)
def test_a_pass_begins_anew_after_a_week(age: timedelta, position: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("some", "", "RETENTION_MESSAGES_DAYS", 0, lambda *_: Step("5", 2, is_end=True))
    monkeypatch.setattr(deletion_steps, "registered", lambda: [rule])
    now = timezone.now()
    RetentionProgress.objects.create(rule="some", position="4", began_at=now - age, next_at=now, removed=1)
    run_step(now)
    row = RetentionProgress.objects.get()
    assert (row.position, row.removed, row.removed_at, row.next_at) == (position, 3, now, now + timedelta(hours=1))
    assert row.began_at == now - age


@pytest.mark.django_db(transaction=True)
def test_two_processes_do_not_step_at_once() -> None:
    old_message(70)
    stepped: list[bool] = []

    def step() -> None:
        stepped.append(run_step())
        connection.close()

    with transaction.atomic():
        deletion_steps._lock(waits=False)
        other = Thread(target=step)
        other.start()
        other.join()
    assert (stepped, Message.objects.count()) == ([False], 1)


@pytest.mark.parametrize(("took_s", "worked", "rests_s"), [(0.01, True, 0.04), (0.5, True, 2.0), (0.01, False, 60.0)])
def test_a_process_rests_four_times_as_long_as_a_step_took_and_a_minute_without_one(
    took_s: float, worked: bool, rests_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([100.0, 100.0 + took_s])
    monkeypatch.setattr(deletion_steps, "run_step", lambda: worked)
    assert housekeeping(lambda: next(times)) == pytest.approx(rests_s)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "days", "is_refused"),
    [
        ("RETENTION_MESSAGES_DAYS", 30, True),
        ("RETENTION_MESSAGES_DAYS", 31, False),
        ("RETENTION_MESSAGES_DAYS", -1, True),
        ("RETENTION_TEXTS_DAYS", 1, False),
        ("RETENTION_FILES_DAYS", 7, True),
        ("RETENTION_EVENTS_DAYS", 14, True),
        ("RETENTION_AUDIT_DAYS", 0, False),
    ],
)
def test_a_period_that_would_delete_what_is_needed_is_refused(
    setting: str, days: int, is_refused: bool, settings: Any
) -> None:
    setattr(settings, setting, days)
    found = checks.periods_are_long_enough(None)
    assert [setting in str(one.msg) for one in found] == ([True] if is_refused else [])


def test_a_refused_period_is_named_with_what_to_do(settings: Any) -> None:
    settings.RETENTION_FILES_DAYS = 7
    assert checks.periods_are_long_enough(None) == [
        Error(
            "RETENTION_FILES_DAYS is 7: files of messages are needed for 8 days.",
            hint="Set it to 0 (no deletion) or to 8 or more: docs/retention.md.",
            id="messaging.E001",
        )
    ]


@pytest.mark.parametrize(
    ("days", "age", "is_beyond"),
    [(60, 61, True), (60, 59, False), (60, None, False), (0, 61, False), (0, None, False)],
)
def test_a_message_beyond_its_period_is_not_stored(days: int, age: int | None, is_beyond: bool, settings: Any) -> None:
    settings.RETENTION_MESSAGES_DAYS = days
    assert is_beyond_retention(None if age is None else days_ago(age)) is is_beyond


@pytest.mark.django_db
def test_the_command_shows_what_was_removed(capsys: pytest.CaptureFixture[str]) -> None:
    old_message(70)
    call_command("retention", "--run")
    shown = {line.split("  ")[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert shown["messages"][1:3] == ["60", "1"]


def _run_in_a_thread() -> None:
    call_command("retention", "--run")
    connection.close()


def _waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_the_command_goes_on_after_a_step_of_deliver() -> None:
    old_message(70)
    command = Thread(target=_run_in_a_thread)
    with transaction.atomic():
        deletion_steps._lock(waits=False)
        command.start()
        assert eventually(lambda: _waiting_for_a_lock() or not command.is_alive())
    command.join()
    assert not Message.objects.exists()
