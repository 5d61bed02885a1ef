"""The first SELECT of a request, repeated on a new connection to PostgreSQL if the kept one has broken."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, connection


def reconnecting_select(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a SELECT, which is repeated on a new connection if the one of an earlier request has broken.

    Django checks a kept connection by a statement of its own, another round trip for each request. A SELECT that can
    be repeated needs no such check. Raises what the database raises.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]
    may_have_broken = connection.connection is not None and not connection.in_atomic_block
    try:
        return _select(statement, parameters)
    except (OperationalError, InterfaceError):
        if not may_have_broken:
            raise
        connection.close()
        return _select(statement, parameters)


def _select(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
