"""Lock order, seen from a second connection."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, connections, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from tests.waiting import eventually

_ORDER = r'(?:ORDER BY (?:"\w+"\.)?"?(\w+)"? ASC)?(?: LIMIT \d+)?'
_LOCK = re.compile(rf'FROM "(\w+)".*?{_ORDER} FOR ((?:NO KEY )?UPDATE)(?: OF .*?)?( SKIP LOCKED)?$')


def locks(work: Callable[[], object]) -> list[str]:
    """The row locks that `work` takes through Django: table, column of the order (1: the one selected), strength."""
    with CaptureQueriesContext(connection) as queries:
        work()
    found = (_LOCK.search(query["sql"]) for query in queries)
    return [f"{one[1]} by {one[2]}: {one[3]}{one[4] or ''}" for one in found if one]


def holds_while_waiting(work: Callable[[], object], first: Model, second: Model) -> bool:
    """Whether `work` has locked the row `second` when it comes to the row `first`, which this connection holds.

    For a test with `transaction=True`.
    """

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        type(first)._default_manager.select_for_update().get(pk=first.pk)
        thread.start()
        waits = eventually(is_waited_for, every=0.01)
        free = list(type(second)._default_manager.select_for_update(skip_locked=True).filter(pk=second.pk))
    thread.join()
    assert waits
    return not free


@contextmanager
def locked(row: Model) -> Iterator[None]:
    """Another connection holds the row during the block, and changes nothing. For a test with `transaction=True`."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT FROM {row._meta.db_table} WHERE id = %s FOR UPDATE", [row.pk])
            yield
    finally:
        other.close()


def in_own_connection(work: Callable[[], object]) -> None:
    """Run `work` in a thread of its own, whose connection is closed in the end."""
    try:
        work()
    finally:
        connection.close()


def is_waited_for() -> bool:
    """Whether another connection waits for a lock of this one."""
    # Not from pg_stat_activity: a transaction sees that as it was at its first look.
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))")
        (waits,) = cursor.fetchone()
    return bool(waits)
