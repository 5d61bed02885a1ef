"""What a worker's threads ask of their database connections, and which they hold."""

import pytest
from django.db import OperationalError, connection

from waproject import celery
from waproject.metrics import keeper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What each check of the connection found, from now on."""
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
    """What a task does first."""
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


def test_one_that_broke_fails_one_task(checks: list[bool]) -> None:
    task()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    task()
    assert checks == [True, False]


def test_keeping_counts_leaves_no_connection() -> None:
    keeper._store({("a",): 1.0})
    assert connection.connection is None


def test_nor_where_they_cannot_be_kept() -> None:
    connection.ensure_connection()
    with pytest.raises(AttributeError):
        keeper._store(None)  # type: ignore[arg-type]
    assert connection.connection is None
