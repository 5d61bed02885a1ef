"""A statement that lost a deadlock or a contact's identity to a concurrent one runs again."""

from types import SimpleNamespace

import pytest
from django.db import IntegrityError, OperationalError, transaction

from messaging.lifecycle.deadlock_retry import retry_on_deadlock

pytestmark = pytest.mark.django_db(transaction=True)


class Lost(Exception):
    """psycopg2's error as Django keeps it: the cause."""

    def __init__(self, pgcode: str, constraint: str | None) -> None:
        super().__init__(pgcode)
        self.pgcode, self.diag = pgcode, SimpleNamespace(constraint_name=constraint)


def failing(times: int, error: Exception, cause: Exception | None) -> tuple[list[int], object]:
    """Calls of a statement that fails so many times before it succeeds, and its result or its error."""
    calls: list[int] = []

    @retry_on_deadlock
    def statement(by: int) -> str:
        calls.append(by)
        if len(calls) <= times:
            raise error from cause
        return "done"

    try:
        return calls, statement(3)
    except (OperationalError, IntegrityError) as last:
        return calls, last


DEADLOCK = (OperationalError("deadlock detected"), Lost("40P01", None))
PHONE_TAKEN = (IntegrityError("duplicate key"), Lost("23505", "contact_phone"))
USER_ID_TAKEN = (IntegrityError("duplicate key"), Lost("23505", "contact_user_id"))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds between the tries, which do not pass."""
    seconds: list[float] = []
    # Of this module alone: threads of other tests may sleep too.
    monkeypatch.setattr("messaging.lifecycle.deadlock_retry.time", SimpleNamespace(sleep=seconds.append))
    return seconds


@pytest.mark.parametrize("lost", [DEADLOCK, PHONE_TAKEN, USER_ID_TAKEN], ids=["deadlock", "phone", "user id"])
def test_a_lost_race_is_run_again_up_to_four_times(slept: list[float], lost: tuple[Exception, Exception]) -> None:
    assert failing(3, *lost) == ([3, 3, 3, 3], "done")
    assert slept == [0.02, 0.04, 0.06]


@pytest.mark.parametrize("lost", [DEADLOCK, PHONE_TAKEN], ids=["deadlock", "phone"])
def test_the_fourth_loss_is_raised(slept: list[float], lost: tuple[Exception, Exception]) -> None:
    assert failing(4, *lost) == ([3, 3, 3, 3], lost[0])


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError("server closed the connection"), Lost("57P01", None)),
        (OperationalError("no cause"), None),
        (IntegrityError("duplicate key"), Lost("23505", "another_constraint")),
        (IntegrityError("a cause without details"), ValueError("odd")),
    ],
    ids=["connection lost", "no cause", "another constraint", "no details"],
)
def test_another_error_is_raised_at_once(slept: list[float], error: Exception, cause: Exception | None) -> None:
    assert failing(1, error, cause) == ([3], error)
    assert slept == []


def test_inside_a_callers_transaction_the_loss_is_the_callers(slept: list[float]) -> None:
    with transaction.atomic():
        assert failing(1, *DEADLOCK) == ([3], DEADLOCK[0])


def test_the_wrapped_function_keeps_its_name() -> None:
    def count() -> None:
        """Counts."""

    assert (retry_on_deadlock(count).__name__, retry_on_deadlock(count).__doc__) == ("count", "Counts.")
