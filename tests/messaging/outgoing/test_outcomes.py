"""Outcomes of calls, as they are recorded."""

import pytest
from django.utils import timezone

from messaging.models import Attempt, BusinessNumber, Message, PairPace
from messaging.models.messages import MAX_COUNT
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.release import release
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Scope,
    Throttled,
    Unavailable,
    WhatsAppError,
)
from tests.messaging.factories import released

pytestmark = pytest.mark.django_db
ACCEPTED = Accepted(wamid="wamid.X1", wa_id=None, user_id=None, message_status=None)


def claimed() -> Claimed:
    batch = released(1)
    (row,) = claim([batch])
    return row


def outcome(result: Accepted | WhatsAppError | None) -> Message:
    """Record one outcome of a claimed message and return the message."""
    record([Outcome(claimed(), result, timezone.now())])
    return Message.objects.get()


def test_acceptance_is_recorded_with_the_wamid() -> None:
    message = outcome(ACCEPTED)
    assert (message.status, message.wamid, message.attempts) == ("accepted", "wamid.X1", 1)


@pytest.mark.parametrize(
    ("error", "status", "attempts"),
    [
        (Rejected(code=131026, title="undeliverable"), "failed", 1),
        (NotSent(title="refused"), "pending", 0),
        (Throttled(code=130429, title="too fast"), "pending", 0),
        (Unavailable(code=2, title="busy"), "pending", 1),
        (OutcomeUnknown(title="no answer"), "unknown", 0),
        (Misconfigured(code=190, title="token expired"), "pending", 0),
        (None, "pending", 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, WhatsAppError) else None,
)
def test_each_error_leads_to_its_status(error: WhatsAppError | None, status: str, attempts: int) -> None:
    message = outcome(error)
    assert (message.status, message.attempts) == (status, attempts)


def test_code_and_title_of_an_error_are_stored() -> None:
    message = outcome(Rejected(code=131026, title="undeliverable"))
    assert (message.error_code, message.error_title) == (131026, "undeliverable")


def test_an_expired_token_pauses_the_number_and_loses_nothing() -> None:
    message = outcome(Misconfigured(code=190, title="token expired"))
    number = BusinessNumber.objects.get()
    assert (message.status, number.pause_reason) == ("pending", "190: token expired")


def test_each_call_is_stored_as_an_attempt() -> None:
    outcome(Rejected(code=131026, title="undeliverable"))
    attempt = Attempt.objects.get()
    assert (attempt.n, attempt.outcome, attempt.error_code) == (1, "Rejected", 131026)


def test_an_acceptance_after_the_end_of_the_lease_counts() -> None:
    row = claimed()
    Message.objects.update(status="unknown")
    record([Outcome(row, ACCEPTED, timezone.now())])
    assert Message.objects.get().status == "accepted"


def test_an_outcome_recorded_twice_leaves_the_next_try_alone() -> None:
    row = claimed()
    refused = Outcome(row, NotSent(title="refused"), timezone.now())
    record([refused])
    Message.objects.update(due_at=timezone.now())
    (again,) = release(row.number_id)
    claim([again])
    record([refused])
    assert Message.objects.get().status == "sending"


def test_an_answer_after_its_status_does_not_move_the_message_back() -> None:
    row = claimed()
    Message.objects.update(status="delivered")
    record([Outcome(row, ACCEPTED, timezone.now())])
    assert Message.objects.get().status == "delivered"


@pytest.mark.parametrize("scope", [Scope.NUMBER, Scope.PAIR])
def test_a_throttle_that_follows_as_many_as_can_be_counted_keeps_its_message(scope: Scope) -> None:
    row, now = claimed(), timezone.now()
    BusinessNumber.objects.update(throttles=MAX_COUNT, throttled_until=now)
    PairPace.objects.update(throttles=MAX_COUNT, not_before=now)
    record([Outcome(row, Throttled(code=4, scope=scope, wait=1.0), now)])
    assert Message.objects.get().status == "pending"
