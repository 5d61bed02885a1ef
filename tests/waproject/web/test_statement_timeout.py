"""A statement that PostgreSQL ended because it took too long."""

from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError

from waproject.web.statement_timeout import timed_out


def canceled(code: str) -> OperationalError:
    """An error of PostgreSQL with this code."""
    error = OperationalError()
    cause: Any = type("Cause", (Exception,), {"pgcode": code})()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_timeout"),
    [
        (canceled("57014"), True),
        (canceled("57P01"), False),
        (OperationalError(), False),
        (InterfaceError(), False),
        (ValueError(), False),
    ],
)
def test_only_the_code_of_a_canceled_statement_is_a_timeout(error: Exception, is_timeout: bool) -> None:
    assert timed_out(error) is is_timeout


def test_an_error_of_another_type_with_that_code_is_no_timeout() -> None:
    error = DataError()
    error.__cause__ = canceled("57014").__cause__
    assert timed_out(error) is False
