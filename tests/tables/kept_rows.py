"""Rows that several tests begin with: made once in a process, then copied into the tables.

Kept are the rows that a function adds. What it changes in rows that are there already is not, nor what it leaves in
memory.
"""

from collections.abc import Callable, Hashable
from io import BytesIO
from typing import Any

from django.db import connection, transaction

TABLES = """
SELECT table_name, string_agg(quote_ident(column_name), ', ')
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
  AND table_name NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
GROUP BY table_name
"""
# By function and arguments: of each table its name, its columns and the rows.
_kept: dict[tuple[Hashable, ...], list[tuple[str, str, bytes]]] = {}


def fill(make: Callable[..., None], *arguments: Hashable) -> None:
    """Add to the database what `make(*arguments)` adds, which is called at the first time only."""
    with connection.cursor() as cursor:
        if (kept := _kept.get((make, *arguments))) is not None:
            _copy(cursor, kept)
            return
        cursor.execute(TABLES)
        tables = dict(cursor.fetchall())
        before = {table: _places(cursor, table) for table in tables}
        make(*arguments)
        added = [(table, columns, _rows(cursor, table, columns, before[table])) for table, columns in tables.items()]
    _kept[make, *arguments] = [one for one in added if one[2]]


def _copy(cursor: Any, kept: list[tuple[str, str, bytes]]) -> None:
    with transaction.atomic():
        # Without triggers: foreign keys would ask for an order.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, columns, rows in kept:
            cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', BytesIO(rows))
        cursor.execute("SET LOCAL session_replication_role = origin")


def _places(cursor: Any, table: str) -> list[str]:
    cursor.execute(f'SELECT ctid::text FROM "{table}"')  # noqa: S608 - a name of the schema's
    return [place for (place,) in cursor.fetchall()]


def _rows(cursor: Any, table: str, columns: str, without: list[str]) -> bytes:
    found = BytesIO()
    others = " AND ".join(f"ctid <> '{place}'" for place in without) or "true"
    query = f'SELECT {columns} FROM "{table}" WHERE {others}'  # noqa: S608 - names and places of the schema's
    cursor.copy_expert(f"COPY ({query}) TO STDOUT", found)
    return found.getvalue()
