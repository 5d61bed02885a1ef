"""A statement that takes longer than it may: PostgreSQL ends it, and is there for the next one."""

from django.db import connection, transaction


def take_too_long() -> None:
    """Raises OperationalError."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1")
        cursor.execute("SELECT pg_sleep(10)")
