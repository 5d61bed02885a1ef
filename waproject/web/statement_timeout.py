"""Statements that PostgreSQL ends because they take longer than DATABASE_STATEMENT_TIMEOUT_MS."""

from django.db import OperationalError

_QUERY_CANCELED = "57014"
ADVICE = "The database did not answer in time. Try again, or ask for less: a shorter period or fewer groups."


def timed_out(error: BaseException) -> bool:
    """Whether PostgreSQL ended a statement; a lost server is another OperationalError."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", "") == _QUERY_CANCELED
