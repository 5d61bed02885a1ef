"""The first statement of a request survives the end of its connection, and spares Django's check of it."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from waproject.web.reconnecting_select import reconnecting_select

pytestmark = pytest.mark.django_db(transaction=True)


def end_connection() -> None:
    """As a restart of PostgreSQL does, between two requests."""
    connection.ensure_connection()
    ended = connection.connection
    with ended.cursor() as cursor, pytest.raises(Exception, match="terminat"):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_connection_that_ended_is_replaced() -> None:
    end_connection()
    assert reconnecting_select("SELECT %s::int", [1]) == [(1,)]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_new_connection_that_fails_is_not_retried(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[Any] = []

    def away(*given: Any) -> None:
        tries.append(given)
        raise error

    monkeypatch.setattr("waproject.web.reconnecting_select._select", away)
    connection.close()
    with pytest.raises(error):
        reconnecting_select("SELECT 1", [])
    assert tries == [("SELECT 1", [])]


def test_a_statement_of_a_transaction_is_not_repeated_outside_of_it() -> None:
    with pytest.raises((OperationalError, InterfaceError)), transaction.atomic():
        end_connection()
        reconnecting_select("SELECT 1", [])
    connection.close()


def test_django_does_not_check_the_connection_again(django_assert_num_queries: Any) -> None:
    connection.ensure_connection()
    connection.health_check_enabled = True  # type: ignore[attr-defined]  # as from one request to the next
    connection.health_check_done = False  # type: ignore[attr-defined]
    with django_assert_num_queries(1):
        reconnecting_select("SELECT 1", [])
