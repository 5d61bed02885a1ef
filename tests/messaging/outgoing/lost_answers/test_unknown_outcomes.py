"""Messages whose answer was lost: when they are sent again, and when a person decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import AuditEntry, Message, OnUnknown
from messaging.outgoing.claim_and_record import claim
from messaging.outgoing.lost_answers.incoming_evidence import IncomingEvidence, evidence, note_refusal
from messaging.outgoing.lost_answers.unknown_outcomes import Lost, Verdict, judge, sweep_unknown
from messaging.outgoing.redrive import mark_failed, send_again
from messaging.outgoing.release import release
from messaging.outgoing.retry_settings import Patience
from messaging.states import Status
from messaging.whatsapp.errors import OutcomeUnknown
from tests.messaging.factories import answered, claimed, in_state, number, pending, states_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PATIENCE = Patience(grace=600, told=660, resend=15)
CLEAR = IncomingEvidence(NOW, None, None)
NO_ANSWER = OutcomeUnknown(title="no answer")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def lost(age: float = 601, on_unknown: str = OnUnknown.WAIT, message_id: UUID | None = None) -> Lost:
    return Lost(message_id or uuid4(), 1, ago(age), on_unknown, 0, None)


def others(count: int, age: float = 130) -> list[tuple[UUID, datetime]]:
    return [(uuid4(), ago(age)) for _ in range(count)]


@pytest.mark.parametrize(
    ("row", "statuses", "incoming", "verdict"),
    [
        (lost(601), others(3), CLEAR, Verdict.AGAIN),
        (lost(599), others(3), CLEAR, Verdict.WAIT),
        (lost(601), others(2), CLEAR, Verdict.WAIT),
        (lost(601), others(9, age=602), CLEAR, Verdict.WAIT),
        (lost(601), others(9, age=5), CLEAR, Verdict.WAIT),
        (lost(601), others(3), IncomingEvidence(None, None, None), Verdict.WAIT),
        (lost(700), others(3), IncomingEvidence(ago(101), None, None), Verdict.HOLD),
        (lost(655), others(3, age=180), IncomingEvidence(ago(50), None, None), Verdict.AGAIN),
        (lost(655), others(3, age=160), IncomingEvidence(ago(50), None, None), Verdict.WAIT),
        (lost(601), others(3), None, Verdict.WAIT),
        (lost(601), others(3), IncomingEvidence(NOW, ago(700), ago(700)), Verdict.AGAIN),
        (lost(601), others(3), IncomingEvidence(NOW, ago(300), None), Verdict.HOLD),
        (lost(601), others(3), IncomingEvidence(NOW, None, ago(300)), Verdict.HOLD),
        (lost(661), others(2), CLEAR, Verdict.HOLD),
        (lost(661), others(3), None, Verdict.HOLD),
        (lost(661), others(3), CLEAR, Verdict.AGAIN),
        (lost(14, OnUnknown.RESEND), [], None, Verdict.WAIT),
        (lost(16, OnUnknown.RESEND), [], None, Verdict.AGAIN),
        (lost(0, OnUnknown.FAIL), [], None, Verdict.FAIL),
    ],
)
def test_the_table_of_verdicts(row: Lost, statuses: Any, incoming: IncomingEvidence | None, verdict: Verdict) -> None:
    assert judge(row, NOW, statuses, incoming, PATIENCE) is verdict


def test_its_own_statuses_are_not_those_of_others() -> None:
    row = lost(601)
    statuses = [*others(2), (row.message_id, ago(130))]
    assert judge(row, NOW, statuses, CLEAR, PATIENCE) is Verdict.WAIT


def unknown(age: float = 0, **fields: Any) -> Message:
    """A message whose attempt ended so long ago, its answer lost."""
    message = answered(claimed(), NO_ANSWER)
    Message.objects.filter(pk=message.pk).update(unknown_at=timezone.now() - timedelta(seconds=age), **fields)
    return message


def others_reported(count: int) -> None:
    """Other messages of the number, on which Meta reported two minutes ago."""
    at = timezone.now() - timedelta(seconds=125)
    for n in range(count):
        message = in_state(Status.ACCEPTED)
        wamid = f"wamid.OTHER{n}"
        advance_many([Change(message.id, Status.SENT, at, "webhook", wamid=wamid, key=f"{wamid}:sent")])


def clear() -> IncomingEvidence:
    """The incoming queue is empty just now."""
    return IncomingEvidence(timezone.now(), None, None)


def test_a_lost_answer_keeps_the_end_of_its_attempt() -> None:
    message = answered(claimed(), NO_ANSWER)
    assert (message.status, message.unknown_at is not None) == ("unknown", True)


def test_it_is_sent_again_once_all_evidence_says_that_meta_has_it_not() -> None:
    message = unknown(age=601)
    others_reported(3)
    sweep_unknown(clear())
    message.refresh_from_db()
    assert (message.status, message.attempts, message.unknown_at) == ("pending", 1, None)


def test_statuses_that_were_stored_after_the_queue_was_empty_are_no_evidence() -> None:
    message, was_empty = unknown(age=610), clear()
    others_reported(3)
    sweep_unknown(was_empty)
    message.refresh_from_db()
    assert message.status == "unknown"


def test_without_evidence_it_is_held_and_stays_unknown() -> None:
    message = unknown(age=700)
    others_reported(2)
    sweep_unknown(clear())
    message.refresh_from_db()
    assert (message.status, message.hold) == ("unknown", "unknown")


def test_a_status_settles_even_what_is_held() -> None:
    message = unknown(age=700)
    sweep_unknown(clear())
    advance_many([Change(message.id, Status.DELIVERED, timezone.now(), "webhook", wamid="wamid.LATE")])
    message.refresh_from_db()
    assert (message.status, message.hold, message.unknown_at) == ("delivered", None, None)


def test_a_resend_that_came_too_late_expires() -> None:
    message = unknown(age=20, on_unknown="resend", expires_at=timezone.now())
    sweep_unknown(None)
    assert states_of(message.id) == ["expired"]


def test_resends_are_limited() -> None:
    message = unknown(age=20, on_unknown="resend", attempts=4)
    sweep_unknown(None)
    message.refresh_from_db()
    assert (message.status, message.exhausted_at is not None) == ("failed", True)


def test_whoever_wants_it_failed_at_once_gets_that() -> None:
    message = answered(replace(claimed(), fail_unknown=True), NO_ANSWER)
    assert (message.status, message.error_title) == ("failed", "no answer")


def test_the_wish_travels_with_the_claim() -> None:
    pending()
    Message.objects.update(on_unknown="fail")
    (batch,) = release(number().pk)
    assert claim([batch])[0].fail_unknown


def test_an_operator_marks_it_failed_and_that_is_written_down() -> None:
    message = unknown()
    assert mark_failed([message.id], by="ann") == [message.id]
    entry = AuditEntry.objects.get()
    assert (states_of(message.id), entry.who, entry.action) == (["failed"], "ann", "mark failed")


def test_an_operator_sends_it_again_and_that_is_written_down() -> None:
    message = unknown(age=700, hold="unknown", attempts=3)
    assert send_again([message.id], by="ann") == [message.id]
    message.refresh_from_db()
    assert (message.status, message.attempts, message.hold, AuditEntry.objects.get().action) == (
        "pending",
        0,
        None,
        "send again",
    )


def test_an_operator_cannot_decide_what_is_settled() -> None:
    message = in_state(Status.DELIVERED)
    assert (mark_failed([message.id], by="ann"), send_again([message.id], by="ann")) == ([], [])


def test_a_refused_webhook_is_remembered() -> None:
    before = timezone.now()
    note_refusal()
    assert evidence(None, 0).lost_since(before)


def test_a_dead_letter_queue_that_grows_is_remembered() -> None:
    evidence(None, 0)
    before = timezone.now()
    assert evidence(None, 1).lost_since(before)


def test_a_dead_letter_queue_that_is_emptied_loses_nothing() -> None:
    evidence(None, 5)
    before = timezone.now()
    assert not evidence(None, 0).lost_since(before)


def test_dead_letters_at_the_first_look_may_have_come_just_now() -> None:
    before = timezone.now()
    assert evidence(None, 1).lost_since(before)


def test_an_empty_dead_letter_queue_at_the_first_look_has_lost_nothing() -> None:
    before = timezone.now()
    assert not evidence(None, 0).lost_since(before)
