"""The decision after a failed call."""

import pytest

from messaging.retry import Decision, decide
from messaging.states import Status
from messaging.whatsapp.errors import Misconfigured, NotSent, OutcomeUnknown, Rejected, Throttled, Unavailable


@pytest.mark.parametrize(
    ("error", "attempts", "decision"),
    [
        (OutcomeUnknown(), 0, Decision(Status.UNKNOWN)),
        (Rejected(), 0, Decision(Status.FAILED, counts=True)),
        (NotSent(), 4, Decision(Status.PENDING, wait=2.0)),
        (Throttled(wait=6.0), 4, Decision(Status.PENDING, wait=6.0)),
        (Misconfigured(), 4, Decision(Status.PENDING, pause_number=True)),
        (Unavailable(wait=0.0), 0, Decision(Status.PENDING, wait=2.0, counts=True)),
        (Unavailable(wait=0.0), 3, Decision(Status.PENDING, wait=120.0, counts=True)),
        (Unavailable(wait=300.0), 0, Decision(Status.PENDING, wait=300.0, counts=True)),
        (Unavailable(wait=0.0), 4, Decision(Status.FAILED, counts=True)),
    ],
)
def test_the_table_of_decisions(error: Exception, attempts: int, decision: Decision) -> None:
    assert decide(error, attempts, max_attempts=5) == decision  # type: ignore[arg-type]
