"""Unknown outcomes: when a message is sent again, and when a person decides."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import AuditEntry, Message, MessageEvent, OnUnknown
from messaging.outgoing.claims import claim
from messaging.outgoing.lost_answers import unknown_outcomes
from messaging.outgoing.lost_answers.incoming_evidence import IncomingEvidence, evidence, record_rejected_webhook
from messaging.outgoing.lost_answers.unknown_outcomes import Resolution, UnknownOutcome, resolve, sweep_unknown
from messaging.outgoing.redrive import mark_failed, send_again
from messaging.outgoing.release import release
from messaging.outgoing.retry_settings import UnknownTimeouts
from messaging.states import Status
from messaging.whatsapp.errors import OutcomeUnknown
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.factories import answered, claimed, in_state, number, pending, states_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TIMEOUTS = UnknownTimeouts(grace=600, alert=660, resend=15)
EMPTY_NOW = IncomingEvidence(NOW, None, None)
NO_ANSWER = OutcomeUnknown(title="no answer")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def unknown_outcome(
    age: float = 601, on_unknown: str = OnUnknown.WAIT, message_id: UUID | None = None
) -> UnknownOutcome:
    return UnknownOutcome(message_id or uuid4(), 1, ago(age), on_unknown, 0, None)


def others(count: int, age: float = 130) -> list[tuple[UUID, datetime]]:
    return [(uuid4(), ago(age)) for _ in range(count)]


@pytest.mark.parametrize(
    ("row", "statuses", "incoming", "resolution"),
    [
        (unknown_outcome(601), others(3), EMPTY_NOW, Resolution.RESEND),
        (unknown_outcome(599), others(3), EMPTY_NOW, Resolution.WAIT),
        (unknown_outcome(601), others(2), EMPTY_NOW, Resolution.WAIT),
        (unknown_outcome(601), others(9, age=602), EMPTY_NOW, Resolution.WAIT),
        (unknown_outcome(601), others(9, age=5), EMPTY_NOW, Resolution.WAIT),
        (unknown_outcome(601), others(3), IncomingEvidence(None, None, None), Resolution.WAIT),
        (unknown_outcome(700), others(3, age=300), IncomingEvidence(ago(101), None, None), Resolution.HOLD),
        (unknown_outcome(655), others(3, age=300), IncomingEvidence(ago(56), None, None), Resolution.WAIT),
        (unknown_outcome(655), others(3, age=180), IncomingEvidence(ago(50), None, None), Resolution.RESEND),
        (unknown_outcome(655), others(3, age=160), IncomingEvidence(ago(50), None, None), Resolution.WAIT),
        (unknown_outcome(601), others(3), None, Resolution.WAIT),
        (unknown_outcome(601), others(3), IncomingEvidence(NOW, ago(700), ago(700)), Resolution.RESEND),
        (unknown_outcome(601), others(3), IncomingEvidence(NOW, ago(300), None), Resolution.HOLD),
        (unknown_outcome(601), others(3), IncomingEvidence(NOW, None, ago(300)), Resolution.HOLD),
        (unknown_outcome(661), others(2), EMPTY_NOW, Resolution.HOLD),
        (unknown_outcome(661), others(3), None, Resolution.HOLD),
        (unknown_outcome(661), others(3), EMPTY_NOW, Resolution.RESEND),
        (unknown_outcome(14, OnUnknown.RESEND), [], None, Resolution.WAIT),
        (unknown_outcome(16, OnUnknown.RESEND), [], None, Resolution.RESEND),
        (unknown_outcome(0, OnUnknown.FAIL), [], None, Resolution.FAIL),
    ],
)
def test_the_table_of_resolutions(
    row: UnknownOutcome, statuses: Any, incoming: IncomingEvidence | None, resolution: Resolution
) -> None:
    assert resolve(row, NOW, statuses, incoming, TIMEOUTS) is resolution


def test_statuses_of_the_message_itself_are_no_evidence() -> None:
    row = unknown_outcome(601)
    statuses = [*others(2), (row.message_id, ago(130))]
    assert resolve(row, NOW, statuses, EMPTY_NOW, TIMEOUTS) is Resolution.WAIT


def unknown(age: float = 0, **fields: Any) -> Message:
    """A message with an unknown outcome, whose attempt ended `age` seconds ago."""
    message = answered(claimed(), NO_ANSWER)
    Message.objects.filter(pk=message.pk).update(unknown_at=timezone.now() - timedelta(seconds=age), **fields)
    return message


def others_reported(count: int) -> None:
    """Statuses of other messages of the number, two minutes old."""
    at = timezone.now() - timedelta(seconds=125)
    for n in range(count):
        message = in_state(Status.ACCEPTED)
        wamid = f"wamid.OTHER{n}"
        advance_many([Change(message.id, Status.SENT, at, "webhook", wamid=wamid, key=f"{wamid}:sent")])


def empty_now() -> IncomingEvidence:
    """Evidence that the incoming queue is empty now."""
    return IncomingEvidence(timezone.now(), None, None)


def test_an_unknown_message_stores_the_end_of_its_attempt() -> None:
    message = answered(claimed(), NO_ANSWER)
    assert (message.status, message.unknown_at is not None) == ("unknown", True)


def test_a_message_is_sent_again_once_all_evidence_says_that_meta_has_not_accepted_it() -> None:
    message = unknown(age=601)
    others_reported(3)
    sweep_unknown(empty_now())
    message.refresh_from_db()
    assert (message.status, message.attempts, message.unknown_at) == ("pending", 1, None)


def test_statuses_stored_after_the_queue_was_empty_are_no_evidence() -> None:
    message, was_empty = unknown(age=610), empty_now()
    others_reported(3)
    sweep_unknown(was_empty)
    message.refresh_from_db()
    assert message.status == "unknown"


def echoes(count: int) -> None:
    """The webhooks of messages that a person has sent by the phone app, two minutes ago, and of their delivery."""
    at = int(time.time()) - 125
    echoed = [
        {**inbound_text(f"wamid.E{n}", at=at), "from": "15550783881", "to": f"1555888000{n}"} for n in range(count)
    ]
    body = webhook(inbound_text())
    change = body["entry"][0]["changes"][0]
    change["field"] = "smb_message_echoes"
    change["value"] = {"metadata": change["value"]["metadata"], "message_echoes": echoed}
    receive(body)
    receive(webhook(statuses=tuple(status("delivered", echo["id"], at=at) for echo in echoed)))
    assert Message.objects.filter(origin="echo", status="delivered").count() == count


def test_messages_of_the_phone_app_are_no_evidence() -> None:
    message = unknown(age=601)
    echoes(3)
    sweep_unknown(empty_now())
    assert states_of(message.id) == ["unknown"]


def test_retries_after_failures_that_meta_reported_earlier_are_no_evidence() -> None:
    message, at = unknown(age=601), timezone.now() - timedelta(seconds=125)
    for _ in range(3):
        retried = in_state(Status.PENDING)
        MessageEvent.objects.create(message=retried, status="pending", at=at, source="webhook")
    sweep_unknown(empty_now())
    assert states_of(message.id) == ["unknown"]


@pytest.mark.parametrize(("on_unknown", "settled"), [("resend", "pending"), ("fail", "failed")])
@pytest.mark.parametrize("age", [300, 630], ids=["within the grace period", "without evidence"])
def test_messages_that_wait_for_evidence_do_not_keep_others_from_their_turn(
    age: float, on_unknown: str, settled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_outcomes, "SWEEP_ROWS", 2)
    waiting = [unknown(age=age), unknown(age=age)]
    code = unknown(age=20, on_unknown=on_unknown)
    sweep_unknown(None)
    assert states_of(*[one.id for one in waiting], code.id) == ["unknown", "unknown", settled]


def test_messages_whose_time_has_not_come_are_left_alone() -> None:
    young = [unknown(age=599), unknown(age=14, on_unknown="resend")]
    sweep_unknown(empty_now())
    assert states_of(*[one.id for one in young]) == ["unknown", "unknown"]


def test_without_evidence_a_message_is_held_and_stays_unknown() -> None:
    message = unknown(age=700)
    others_reported(2)
    sweep_unknown(empty_now())
    message.refresh_from_db()
    assert (message.status, message.hold) == ("unknown", "unknown")


def test_a_status_settles_a_held_message_too() -> None:
    message = unknown(age=700)
    sweep_unknown(empty_now())
    advance_many([Change(message.id, Status.DELIVERED, timezone.now(), "webhook", wamid="wamid.LATE")])
    message.refresh_from_db()
    assert (message.status, message.hold, message.unknown_at) == ("delivered", None, None)


def test_a_resend_after_expires_at_expires_the_message() -> None:
    message = unknown(age=20, on_unknown="resend", expires_at=timezone.now())
    sweep_unknown(None)
    assert states_of(message.id) == ["expired"]


def test_resends_count_as_attempts() -> None:
    message = unknown(age=20, on_unknown="resend", attempts=4)
    sweep_unknown(None)
    message.refresh_from_db()
    assert (message.status, message.exhausted_at is not None) == ("failed", True)


def test_on_unknown_fail_fails_the_message_at_once() -> None:
    message = answered(replace(claimed(), fail_unknown=True), NO_ANSWER)
    assert (message.status, message.error_title) == ("failed", "no answer")


def test_a_claim_carries_on_unknown_fail() -> None:
    pending()
    Message.objects.update(on_unknown="fail")
    (batch,) = release(number().pk)
    assert claim([batch])[0].fail_unknown


def test_marking_a_message_failed_is_audited() -> None:
    message = unknown()
    assert mark_failed([message.id], by="ann") == [message.id]
    entry = AuditEntry.objects.get()
    assert (states_of(message.id), entry.who, entry.action) == (["failed"], "ann", "mark failed")


def test_sending_a_message_again_is_audited() -> None:
    message = unknown(age=700, hold="unknown", attempts=3)
    assert send_again([message.id], by="ann") == [message.id]
    message.refresh_from_db()
    assert (message.status, message.attempts, message.hold, AuditEntry.objects.get().action) == (
        "pending",
        0,
        None,
        "send again",
    )


def test_an_operator_cannot_act_on_a_settled_message() -> None:
    message = in_state(Status.DELIVERED)
    assert (mark_failed([message.id], by="ann"), send_again([message.id], by="ann")) == ([], [])


def test_a_rejected_webhook_is_evidence_of_loss() -> None:
    before = timezone.now()
    record_rejected_webhook()
    assert evidence(None, 0).may_have_lost_since(before)


def test_a_growing_dead_letter_queue_is_evidence_of_loss() -> None:
    evidence(None, 0)
    before = timezone.now()
    assert evidence(None, 1).may_have_lost_since(before)


def test_an_emptied_dead_letter_queue_is_no_evidence_of_loss() -> None:
    evidence(None, 5)
    before = timezone.now()
    assert not evidence(None, 0).may_have_lost_since(before)


def test_dead_letters_in_the_first_observation_are_evidence_of_loss() -> None:
    before = timezone.now()
    assert evidence(None, 1).may_have_lost_since(before)


def test_an_empty_dead_letter_queue_in_the_first_observation_is_no_evidence_of_loss() -> None:
    before = timezone.now()
    assert not evidence(None, 0).may_have_lost_since(before)
