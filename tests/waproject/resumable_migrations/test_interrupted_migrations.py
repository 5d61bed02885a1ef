"""A migration that ends in the middle is finished by the next `migrate`, with the same schema.

All migrations run here on a database of their own. Those without a transaction end after each of their operations once,
as after a kill -9: what is committed stays, and what Django defers to the end of the migration does not happen.
"""

from collections.abc import Iterator
from copy import copy
from typing import Any

import pytest
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

INTERRUPTED = "interrupted_migrations"
COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
# An index that a broken CREATE INDEX CONCURRENTLY left behind counts as none.
INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indrelid
WHERE indisvalid AND relnamespace = 'public'::regnamespace
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
"""
FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


class Killed(BaseException):
    """The process ends here."""


class Kill(Operation):
    """The end of the process."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models stay as they are."""

    def database_forwards(self, *_: Any) -> None:
        """Raises Killed."""
        raise Killed


def schema() -> dict[str, list[Any]]:
    """What the database has: columns, indexes, constraints and functions."""
    found = {}
    with connection.cursor() as cursor:
        for statement in (COLUMNS, INDEXES, CONSTRAINTS, FUNCTIONS):
            cursor.execute(statement)
            found[statement] = sorted(cursor.fetchall())
    return found


@pytest.fixture
def empty_database(postgres: object, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The default connection leads to a database without tables."""
    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {INTERRUPTED}")
        connection.close()
        connection.settings_dict["NAME"] = INTERRUPTED
        yield
        connection.close()
        connection.settings_dict["NAME"] = name
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {INTERRUPTED}")
        connection.close()


def run(migration: Migration, state: ProjectState) -> ProjectState:
    with connection.schema_editor(atomic=migration.atomic) as editor:
        return migration.apply(state, editor)


def run_until_killed(migration: Migration, state: ProjectState, operations: int) -> None:
    """Run so many operations of the migration, and end."""
    part = copy(migration)
    part.operations = [*migration.operations[:operations], Kill()]
    with pytest.raises(Killed):
        run(part, state.clone())


@pytest.mark.slow("runs all migrations, and interrupts them between operations")
def test_a_migration_that_was_killed_after_any_operation_is_finished_by_the_next_run(
    empty_database: None, django_db_blocker: Any
) -> None:
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    state, kills = ProjectState(real_apps=executor.loader.unmigrated_apps), 0
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        if not migration.atomic:
            for operations in range(1, len(migration.operations) + 1):
                run_until_killed(migration, state, operations)
                kills += 1
        state = run(migration, state)
    interrupted = schema()
    connection.close()
    connection.settings_dict["NAME"] = "test_waproject"
    assert (kills > 20, interrupted) == (True, schema())
