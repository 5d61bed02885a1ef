"""Why a task failed is kept, without anybody's text, and forgotten in time."""

from datetime import timedelta

import pytest
from celery import signals
from celery.app.task import Context
from django.db import DataError, IntegrityError
from django.utils import timezone

from messaging.incoming.tasks import receive, receive_stored
from monitoring.dead_letters import task_failures
from monitoring.dead_letters.task_failures import words_of
from monitoring.models import TaskFailure
from waproject.sqs.joining import JOINED

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_failures, "_written", [])


def fail(task_id: str = "t-1", error: Exception | None = None, joined: int | None = None) -> None:
    """A task fails, as a worker's child sees it."""
    receive.request_stack.push(Context(id=task_id, **({JOINED: joined} if joined else {})))
    try:
        signals.task_failure.send(receive, task_id=task_id, exception=error or ValueError("no"), traceback=None)
    finally:
        receive.request_stack.pop()


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails_in_a_worker_is_noted_with_its_place() -> None:
    # A stored webhook that there is not; as a worker traces it.
    from celery.app.trace import build_tracer

    tracer = build_tracer(receive_stored.name, receive_stored, app=receive_stored.app)
    tracer("t-5", ["no id"], {}, {"id": "t-5", "delivery_info": {}})
    failure = TaskFailure.objects.get(task_id="t-5")
    assert (failure.task, failure.error) == ("messaging.receive_stored", "ValueError")
    assert failure.place.startswith("messaging/incoming/store.py:")


def test_it_counts_and_keeps_the_latest() -> None:
    fail()
    fail(error=IntegrityError("b"))
    failure = TaskFailure.objects.get()
    assert (failure.times, failure.error) == (2, "IntegrityError")


def test_joined_messages_are_not_blamed() -> None:
    fail(joined=3)
    assert not TaskFailure.objects.exists()


def test_when_everything_fails_a_process_writes_no_more_than_some_rows_a_second() -> None:
    for n in range(50):
        fail(f"t-{n}")
    assert TaskFailure.objects.count() == task_failures.PER_SECOND


def test_an_id_that_cannot_be_stored_harms_nobody() -> None:
    fail("a\0b")
    fail("x" * 500)
    assert TaskFailure.objects.get().task_id == "x" * 100


def test_a_database_that_is_away_harms_nobody(database_away: None, caplog: pytest.LogCaptureFixture) -> None:
    fail()
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize(("error", "words"), [
    (KeyError("entry"), "'entry'"),
    (KeyError("two words"), "…"),
    (ValueError("invalid literal for int(): 'Meet me at nine'"), "invalid literal for int(): …"),
    (DataError('invalid input: "Meet me"\nDETAIL:  row (1, Ann)'), "invalid input: …"),
    (ValueError("call +4915123456789"), "call …"),
    (ValueError(""), ""),
])  # fmt: skip
def test_the_words_are_kept_without_what_they_quote(error: Exception, words: str) -> None:
    assert words_of(error) == words


def test_old_ones_are_forgotten() -> None:
    fail("old")
    TaskFailure.objects.update(last_at=timezone.now() - timedelta(days=16))
    fail("new")
    task_failures.tidy(timezone.now())
    assert TaskFailure.objects.get().task_id == "new"


def test_of_too_many_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_failures, "MOST_ROWS", 2)
    now = timezone.now()
    for n in range(4):
        TaskFailure.objects.create(task_id=str(n), last_at=now - timedelta(minutes=n))
    task_failures.tidy(now)
    assert set(TaskFailure.objects.values_list("task_id", flat=True)) == {"0", "1"}
