"""When a worker's threads check their database connections, and when they close them."""

import pytest
from django.db import OperationalError, connection

from waproject import celery
from waproject.metrics import flushing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The result of each connection check."""
    found: list[bool] = []
    real = connection.is_usable

    def is_usable() -> bool:
        found.append(real())
        return found[-1]

    connection.ensure_connection()
    monkeypatch.setattr(connection, "is_usable", is_usable)
    monkeypatch.setattr(celery._checked, "at", float("-inf"), raising=False)
    return found


def task() -> None:
    """The start of a task."""
    celery.check_database_connections()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_the_connection_is_checked_once_in_a_while(checks: list[bool]) -> None:
    for _ in range(5):
        task()
    assert checks == [True]


def test_it_is_checked_again_later(checks: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celery, "CHECKED_EVERY_S", 0.0)
    task()
    task()
    assert checks == [True, True]


def test_a_broken_connection_fails_one_task_only(checks: list[bool]) -> None:
    task()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    task()
    assert checks == [True, False]


def test_flushing_metrics_leaves_no_connection() -> None:
    flushing._store({("a",): 1.0})
    assert connection.connection is None


def test_a_failed_flush_leaves_no_connection() -> None:
    connection.ensure_connection()
    with pytest.raises(AttributeError):
        flushing._store(None)  # type: ignore[arg-type]
    assert connection.connection is None
