"""Failures of tasks: recorded without message texts, deleted in time."""

import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

import pytest
from billiard.exceptions import TimeLimitExceeded
from celery import signals
from celery.app.task import Context
from django.db import DataError, IntegrityError, ProgrammingError, connection
from django.utils import timezone

from messaging.incoming.tasks import receive, receive_stored
from monitoring.dead_letters import task_failures
from monitoring.dead_letters.task_failures import location_of, message_of
from monitoring.models import TaskFailure
from waproject.sqs.joining import JOINED

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_recent_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_failures, "_recent_writes", [])


def fail(task_id: str = "t-1", error: Exception | None = None, joined: int | None = None) -> None:
    """Fail a task as in a pool process of a worker."""
    receive.request_stack.push(Context(id=task_id, **({JOINED: joined} if joined else {})))
    try:
        signals.task_failure.send(receive, task_id=task_id, exception=error or ValueError("no"), traceback=None)
    finally:
        receive.request_stack.pop()


@pytest.mark.django_db(transaction=True)
def test_a_failed_task_is_recorded_with_its_place_in_the_code() -> None:
    # A stored webhook that does not exist, run as a worker runs it.
    from celery.app.trace import build_tracer

    tracer = build_tracer(receive_stored.name, receive_stored, app=receive_stored.app)
    tracer("t-5", ["no id"], {}, {"id": "t-5", "delivery_info": {}})
    failure = TaskFailure.objects.get(task_id="t-5")
    assert (failure.task, failure.error) == ("messaging.receive_stored", "ValueError")
    assert failure.place.startswith("messaging/incoming/store.py:")


def test_repeated_failures_are_counted_and_the_latest_is_kept() -> None:
    fail()
    fail(error=IntegrityError("b"))
    failure = TaskFailure.objects.get()
    assert (failure.times, failure.error) == (2, "IntegrityError")


def test_a_failure_of_joined_messages_is_not_recorded() -> None:
    fail(joined=3)
    assert not TaskFailure.objects.exists()


def test_a_task_id_that_cannot_be_stored_breaks_no_failing_task() -> None:
    fail("a\0b")
    fail("x" * 500)
    assert TaskFailure.objects.get().task_id == "x" * 100


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_a_failure_is_recorded_although_its_message_cannot_be_stored(odd: str) -> None:
    fail(error=ValueError(f"odd {odd} one"))
    assert TaskFailure.objects.get().message == "odd \ufffd one"


def test_an_unreachable_database_breaks_no_failing_task(database_away: None, caplog: pytest.LogCaptureFixture) -> None:
    fail()
    assert "could not be recorded" in caplog.text


@pytest.mark.parametrize(("error", "words"), [
    (KeyError("entry"), "'entry'"),
    (KeyError("two words"), "…"),
    (ValueError("invalid literal for int(): 'Meet me at nine'"), "invalid literal for int(): …"),
    (DataError('invalid input: "Meet me"\nDETAIL:  row (1, Ann)'), "invalid input: …"),
    (ValueError("call +4915123456789"), "call …"),
    (ValueError("can't read 'Meet me' at 9"), "can't read … at 9"),
    (ValueError("not b'Meet me'"), "not b…"),
    (ValueError("odd: 'Meet me \\"), "odd: …"),
    (ValueError('odd: "Meet me'), "odd: …"),
    (ValueError(""), ""),
])  # fmt: skip
def test_an_error_message_is_kept_without_quoted_values(error: Exception, words: str) -> None:
    assert message_of(error) == words


@pytest.mark.parametrize("unit", ["'\\", '"\\', "\\'", "\\", "'", "\"\\'"])
@pytest.mark.parametrize("begin", ["", "'", '"', " '"])
def test_no_quotes_of_a_user_hold_up_a_worker(begin: str, unit: str) -> None:
    # 64 KB took 20 s, 256 KB five minutes.
    error = ValueError(begin + unit * (256 * 1024 // len(unit)))
    started = time.process_time()
    message_of(error)
    assert time.process_time() - started < 1


def test_the_newest_failures_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_failures, "MAX_ROWS", 2)
    now = timezone.now()
    for n in range(4):
        TaskFailure.objects.create(task_id=str(n), last_at=now - timedelta(minutes=n))
    task_failures.delete_expired(now)
    assert set(TaskFailure.objects.values_list("task_id", flat=True)) == {"0", "1"}


def traceback_of(code: str, file: str) -> TracebackType | None:
    """The traceback of an error in a file of this name."""
    try:
        exec(compile(code, file, "exec"), {})  # noqa: S102
    except ZeroDivisionError as error:
        return error.__traceback__
    return None


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("messaging/made_up.py", "messaging/made_up.py:3 in fail"),
        (".venv/lib/site-packages/made_up.py", ""),
        ("/usr/lib/made_up.py", ""),
    ],
)
def test_the_place_of_a_failure_is_the_innermost_line_of_our_code(
    file: str, place: str, settings: Any, tmp_path: Path
) -> None:
    settings.BASE_DIR = tmp_path
    assert location_of(traceback_of("\ndef fail():\n    1 / 0\nfail()", str(tmp_path / file))) == place


def test_an_error_without_a_line_of_ours_has_no_place() -> None:
    assert location_of(None) == ""


def test_failures_are_found_by_ids_that_are_longer_than_their_column_or_cannot_be_stored() -> None:
    fail("x" * 101)
    fail("t-2")
    found = task_failures.failures_of({"x" * 101, "t-3", "a\0b"})
    assert {task_id: row.task for task_id, row in found.items()} == {"x" * 101: "messaging.receive"}


def test_a_failure_is_stored_with_its_task_error_and_message() -> None:
    fail(error=KeyError("entry"))
    row = TaskFailure.objects.get()
    assert (row.task_id, row.task, row.error, row.message, row.place, row.times) == (
        "t-1", "messaging.receive", "KeyError", "'entry'", "", 1,
    )  # fmt: skip


@pytest.mark.parametrize(("length", "stored"), [(300, 300), (301, 300)])
def test_a_message_is_cut_to_what_its_column_holds(length: int, stored: int) -> None:
    assert message_of(ValueError("x" * length)) == "x" * stored


def test_only_the_first_line_of_a_message_is_kept() -> None:
    assert message_of(ValueError("\n one \ntwo")) == "one "


@pytest.mark.parametrize("error", [AttributeError, TypeError, NameError, ImportError, ProgrammingError])
def test_names_of_code_and_tables_are_kept(error: type[Exception]) -> None:
    assert message_of(error("no 'entry' and 'two words'")) == "no 'entry' and …"


def test_a_process_records_twenty_failures_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    times = (*(100.0,) * 10, *(100.5,) * 11, 100.99, *(101.0,) * 11, 101.5)
    now = iter(times)
    monkeypatch.setattr(task_failures, "time", SimpleNamespace(monotonic=lambda: next(now)))
    ids = [f"t-{n:02}" for n in range(len(times))]
    for task_id in ids:
        fail(task_id)
    recorded = task_failures.failures_of(ids)
    left_out = [time for task_id, time in zip(ids, times, strict=True) if task_id not in recorded]
    assert left_out == [100.5, 100.99, 101.0]


@pytest.mark.parametrize(("error", "closes"), [(TimeLimitExceeded(), 1), (ValueError(), 0)])
def test_a_process_that_forks_next_keeps_no_connection(
    error: Exception, closes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(task_failures, "_write", lambda *_: None)
    monkeypatch.setattr(connection, "close", lambda: closed.append("closed"))
    fail(error=error)
    assert len(closed) == closes


@pytest.mark.parametrize(("days", "left"), [(14.9, 1), (15.1, 0)])
def test_a_failure_is_kept_as_long_as_a_dead_letter(days: float, left: int) -> None:
    fail()
    now = timezone.now()
    TaskFailure.objects.update(last_at=now - timedelta(days=days))
    task_failures.delete_expired(now)
    assert TaskFailure.objects.count() == left
