"""Answers that are recorded after the message was given up: what Meta took is neither sent again nor called unsent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Message
from messaging.outgoing.cancel_and_retry import cancel
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.lost_answers.unknown_outcomes import sweep_unknown
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.recovery import sweep_expired, sweep_expired_leases
from messaging.outgoing.redrive import mark_failed
from messaging.outgoing.release import release
from messaging.whatsapp.errors import NotSent, Rejected, Throttled, Unavailable
from tests.messaging.factories import accepted, answered, claimed, number, states_of
from tests.messaging.outgoing.test_attempts import BUSY, reports, sent_again

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def given_up(row: Claimed, then: str = "resend") -> None:
    """Its lease expires before its answer is recorded; then it is to be sent again, or fails."""
    Message.objects.filter(pk=row.message_id).update(on_unknown=then, lease_until=timezone.now() - HOUR)
    sweep_expired_leases()
    sweep_unknown(None)


@pytest.mark.parametrize("is_queued", [False, True])
def test_a_late_acceptance_ends_the_wait_for_another_call(is_queued: bool) -> None:
    given_up(row := claimed())
    batches = release(number().pk) if is_queued else []
    message = answered(row, accepted("wamid.LATE"))
    assert (message.status, message.wamid, message.attempts, claim(batches)) == ("accepted", "wamid.LATE", 1, [])


def test_a_late_acceptance_ends_the_failure_that_took_it_for_not_sent() -> None:
    given_up(row := claimed(), "fail")
    assert states_of(row.message_id) == ["failed"]
    message = answered(row, accepted("wamid.LATE"))
    assert (message.status, message.wamid, message.attempts, message.error_title) == ("accepted", "wamid.LATE", 1, "")


def test_a_late_acceptance_of_the_first_call_ends_the_failure_of_the_second() -> None:
    given_up(row := claimed())
    answered(sent_again(row), Rejected(code=100, title="no"))
    message = answered(row, accepted("wamid.FIRST"))
    assert (message.status, message.wamid, message.attempts) == ("accepted", "wamid.FIRST", 2)


@pytest.mark.parametrize("taken", ["accepted", "sent"])
@pytest.mark.parametrize("refusal", [Rejected(code=100, title="no"), NotSent()], ids=["rejected", "not sent"])
def test_a_refused_second_call_leaves_the_message_that_meta_took_by_the_first(taken: str, refusal: Any) -> None:
    given_up(row := claimed())
    second = sent_again(row)
    if taken == "accepted":
        answered(row, accepted("wamid.FIRST"))
    else:
        reports(row.message_id, "sent", "wamid.FIRST")
    message = answered(second, refusal)
    assert (message.status, message.wamid, message.error_code) == (taken, "wamid.FIRST", None)


@pytest.mark.parametrize("first_call_first", [True, False])
def test_answers_of_two_calls_recorded_at_once_leave_the_message_that_meta_took(first_call_first: bool) -> None:
    given_up(row := claimed())
    answers = [Outcome(row, accepted("wamid.FIRST"), timezone.now())]
    answers.append(Outcome(sent_again(row), Rejected(code=100, title="no"), timezone.now()))
    record(answers if first_call_first else answers[::-1])
    message = Message.objects.get()
    assert (message.status, message.wamid, message.error_code) == ("accepted", "wamid.FIRST", None)


NOTHING_WAS_SENT = {
    "not sent": NotSent(),
    "throttled": Throttled(wait=2.0, code=130429, title="too many"),
    "unavailable": Unavailable(code=131000, title="busy"),
    "capped": Rejected(wait=86_400.0, code=131049, title="capped"),
    "no call": None,
}


def failed_at_once(row: Claimed) -> None:
    given_up(row, "fail")


def marked_failed(row: Claimed) -> None:
    given_up(row, "wait")
    mark_failed([row.message_id], by="ann")


@pytest.mark.parametrize("give_up", [failed_at_once, marked_failed])
@pytest.mark.parametrize("result", NOTHING_WAS_SENT.values(), ids=NOTHING_WAS_SENT)
def test_a_message_that_was_given_up_as_failed_is_not_sent_after_all(
    result: Any, give_up: Callable[[Claimed], None]
) -> None:
    give_up(row := claimed())
    assert answered(row, result).status == "failed"


@pytest.mark.parametrize("result", NOTHING_WAS_SENT.values(), ids=NOTHING_WAS_SENT)
def test_a_late_answer_of_a_message_that_is_still_unknown_makes_it_pending(result: Any) -> None:
    given_up(row := claimed(), "wait")
    assert answered(row, result).status == "pending"


def expired(row: Claimed) -> None:
    Message.objects.filter(pk=row.message_id).update(expires_at=timezone.now() - HOUR)
    sweep_expired()


def cancelled(row: Claimed) -> None:
    cancel(Message.objects.get(pk=row.message_id), "ann")


@pytest.mark.parametrize("end", [expired, cancelled])
@pytest.mark.parametrize("status", ["accepted", "sent", "delivered"])
def test_what_meta_took_is_not_called_unsent_though_it_was_ended_meanwhile(
    end: Callable[[Claimed], None], status: str
) -> None:
    given_up(row := claimed())
    end(row)
    assert states_of(row.message_id) in (["expired"], ["cancelled"])
    if status == "accepted":
        answered(row, accepted("wamid.LATE"))
    else:
        reports(row.message_id, status, "wamid.LATE")
    message = Message.objects.get()
    assert (message.status, message.wamid) == (status, "wamid.LATE")


def test_a_late_acceptance_leaves_the_failure_that_meta_reported_of_it() -> None:
    given_up(row := claimed(), "fail")
    reports(row.message_id, "failed", "wamid.LATE", errors=[{"code": 131026, "title": "undeliverable"}])
    assert answered(row, accepted("wamid.LATE")).status == "failed"


def test_a_late_acceptance_of_a_retry_leaves_the_failure_that_meta_reported_of_it() -> None:
    answered(row := claimed(), NotSent())
    given_up(second := sent_again(row))
    reports(row.message_id, "failed", "wamid.TWO", errors=BUSY)
    assert answered(second, accepted("wamid.TWO")).status == "pending"


def test_a_failure_that_comes_before_the_answer_of_its_retry_counts() -> None:
    answered(row := claimed(), NotSent())
    second = sent_again(row)
    reports(row.message_id, "failed", "wamid.TWO", errors=[{"code": 131026, "title": "undeliverable"}])
    assert answered(second, accepted("wamid.TWO")).status == "failed"


def test_a_late_acceptance_whose_attempt_has_failed_leaves_the_retry_alone() -> None:
    given_up(row := claimed())
    reports(row.message_id, "failed", "wamid.LATE", errors=BUSY)
    message = answered(row, accepted("wamid.LATE"))
    assert (message.status, message.wamid) == ("pending", "wamid.LATE")


def test_an_acceptance_recorded_once_more_leaves_the_retry_alone() -> None:
    answered(row := claimed(), accepted("wamid.A"))
    reports(row.message_id, "failed", "wamid.A", errors=BUSY)
    assert answered(row, accepted("wamid.A")).status == "pending"
