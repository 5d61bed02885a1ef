"""A message that Meta accepted and holds for its quality assessment: Meta has it, and nothing here sends it again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Q
from django.utils import timezone

from messaging import monitoring_queries as queries
from messaging.contacts import withdrawal
from messaging.dispatch import SWEEPS
from messaging.incoming.store import receive
from messaging.messages.admin_filters import ATTENTION
from messaging.models import Contact, Message
from messaging.models.messages import QUALITY
from messaging.outgoing import recovery, redrive
from messaging.outgoing.cancel_and_retry import NotPossible, cancel, retry
from messaging.outgoing.claims import claim
from messaging.outgoing.holds.campaigns import campaign_state, hold_campaign, resume_campaign
from messaging.outgoing.holds.holds import hold_template, release_template, sweep_holds
from messaging.outgoing.holds.suspensions import first_refused_message, pause, resume
from messaging.outgoing.lost_answers import unknown_outcomes
from messaging.outgoing.release import release
from messaging.states import Status
from tests.messaging.bodies import status, webhook
from tests.messaging.factories import accepted, answered, number, pending, release_due, trail
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db
WAMID, WABA, OFFER, PEER = "wamid.OUT1", "102290129340398", "offer", "15551230001"
HELD = "held_for_quality_assessment"
DROPPED = [{"code": 132015, "title": "Template is Paused"}]


def send(message_status: str | None = HELD, **fields: Any) -> Message:
    """A template message to PEER after Meta's answer with this `message_status`."""
    number(waba_id=WABA)
    synced_template(OFFER, "en", WABA)
    (message,) = pending(peer=PEER, **fields)
    content = {"name": OFFER, "language": {"code": "en"}}
    Message.objects.filter(pk=message.pk).update(type="template", content=content, template=OFFER)
    (batch,) = release(number().pk)
    (row,) = claim([batch])
    return answered(row, accepted(WAMID, message_status))


def in_assessment(**fields: Any) -> Message:
    """A message that Meta holds."""
    return send(**fields)


def template_status(event: str) -> None:
    value = {"event": event, "message_template_name": OFFER, "message_template_language": "en"}
    change = {"field": "message_template_status_update", "value": value}
    entry = {"id": WABA, "time": int(timezone.now().timestamp()), "changes": [change]}
    receive({"object": "whatsapp_business_account", "entry": [entry]})


def dropped() -> Message:
    """A message that Meta held, and dropped since the feedback on its template was bad."""
    message = in_assessment()
    template_status("PAUSED")
    receive(webhook(statuses=(status("failed", at=int(timezone.now().timestamp()), errors=DROPPED),)))
    message.refresh_from_db()
    return message


@pytest.mark.parametrize(
    ("message_status", "hold"),
    [(HELD, QUALITY), ("paused", QUALITY), ("accepted", None), (None, None), ("of_2030", None)],
)
def test_metas_answer_says_whether_it_holds_the_message(message_status: str | None, hold: str | None) -> None:
    message = send(message_status)
    assert (message.status, message.hold, message.wamid, message.attempts) == ("accepted", hold, WAMID, 1)


@pytest.mark.parametrize("reported", ["sent", "delivered", "read"])
def test_each_later_status_ends_the_hold(reported: str) -> None:
    in_assessment()
    receive(webhook(statuses=(status(reported),)))
    message = Message.objects.get()
    assert (message.status, message.hold) == (reported, None)


def test_a_status_that_overtook_the_answer_leaves_no_hold() -> None:
    (message,) = pending(peer=PEER)
    (batch,) = release(number().pk)
    (row,) = claim([batch])
    receive(webhook(statuses=(status("sent", callback=str(message.pk)),)))
    after = answered(row, accepted(WAMID, HELD))
    assert (after.status, after.hold) == ("sent", None)


def expired_long_ago(message: Message) -> None:
    Message.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    recovery.sweep_expired()


def withdrawn(message: Message) -> None:
    contact = Contact.objects.create(phone=PEER, phone_key=PEER, opted_out_at=timezone.now(), blocked_at=timezone.now())
    withdrawal.withdraw_released([contact.pk], "webhook")


def template_held_and_released(message: Message) -> None:
    hold_template(OFFER, waba_id=WABA, language="en", by="ann")
    release_due()
    release_template(WABA, OFFER, "en", by="ann")
    sweep_holds()


def campaign_held_and_resumed(message: Message) -> None:
    hold_campaign("spring", None, "ann")
    release_due()
    resume_campaign("spring", None, "ann")
    sweep_holds()


def number_paused_and_resumed(message: Message) -> None:
    pause([message.number_id], reason="no", by="ann")
    resume([message.number_id])


def template_paused_and_approved_by_meta(message: Message) -> None:
    template_status("PAUSED")
    release_due()
    template_status("APPROVED")
    sweep_holds()


def redriven(message: Message) -> None:
    redrive.redrive(message.pk, message.generation)


def sent_again(message: Message) -> None:
    redrive.send_again([message.pk], "ann")


def marked_failed(message: Message) -> None:
    redrive.mark_failed([message.pk], "ann")


def released(message: Message) -> None:
    release_due()


def claimed_again(message: Message) -> None:
    for batch in recovery.queued_releases(0, 100):
        claim([batch])


def due_next(message: Message) -> None:
    Message.objects.update(due_at=timezone.now() - timedelta(days=1))
    release_due()


def unknown_swept(message: Message) -> None:
    unknown_outcomes.sweep_unknown(None)


def swept(sweep: Callable[[], None]) -> Callable[[Message], None]:
    def run(message: Message) -> None:
        sweep()

    run.__name__ = sweep.__name__
    return run


# Everything that reads holds, or moves, cancels, fails or sends what has not left us.
UNSENT = [
    *(swept(sweep) for _, sweep in SWEEPS if sweep.__name__ != "_publish_exhausted"),
    *(released, due_next, claimed_again, unknown_swept, expired_long_ago, withdrawn, template_held_and_released),
    *(campaign_held_and_resumed, number_paused_and_resumed, template_paused_and_approved_by_meta),
    *(redriven, sent_again, marked_failed),
]


@pytest.mark.parametrize("act", UNSENT, ids=lambda act: act.__name__)
def test_nothing_takes_it_for_unsent(act: Callable[[Message], None]) -> None:
    message = in_assessment(campaign="spring")
    before = trail(message.pk)
    act(message)
    after = Message.objects.get()
    kept = (after.status, after.hold, after.wamid, after.calls, after.attempts, after.release_id)
    assert (*kept, trail(message.pk)) == ("accepted", QUALITY, WAMID, 1, 1, message.release_id, before)


@pytest.mark.parametrize("act", [cancel, retry])
def test_it_can_be_neither_cancelled_nor_sent_again(act: Callable[[Message, str], Message]) -> None:
    with pytest.raises(NotPossible, match="WhatsApp has it"):
        act(in_assessment(), "ann")


def _campaign() -> tuple[int, int, int]:
    state = campaign_state("spring", None)
    return state.waiting, state.on_their_way, state.waiting_for_limit


COUNTS: list[tuple[Callable[[], object], object]] = [
    (queries.messages_without_outcome, dict.fromkeys(("due", "scheduled", "queued", "sending", "held"), 0)),
    (queries.unknown_outcomes, queries.UnknownOutcomes(0, 0, 0)),
    (lambda: queries.quality_assessments().held, 1),
    (_campaign, (0, 0, 0)),
    (unknown_outcomes.has_unknown_outcomes, False),
    (redrive.exhausted_messages, []),
    (lambda: first_refused_message(number().pk), None),
    (lambda: [name for name, (_, which) in ATTENTION.items() if _count(which)], ["quality"]),
]


def _count(which: Q) -> int:
    return Message.objects.filter(which).count()


@pytest.mark.parametrize(
    ("count", "expected"), COUNTS,
    ids=["without an outcome", "unknown", "in assessment", "campaign", "to resolve", "exhausted", "refused", "filters"],
)  # fmt: skip
def test_counts_take_it_for_accepted(count: Callable[[], object], expected: object) -> None:
    in_assessment(campaign="spring")
    assert count() == expected


@pytest.mark.parametrize("hold", ["pair", "template:7", "budget:1", "campaign:3", "limit:1:5", "unknown"])
def test_other_holds_are_counted_as_held(hold: str) -> None:
    pending()
    Message.objects.update(hold=hold)
    assert (queries.messages_without_outcome()["held"], queries.quality_assessments().held) == (
        1,
        0,
    )


def test_the_next_message_to_the_same_recipient_does_not_wait_for_it() -> None:
    in_assessment()
    (following,) = pending(peer=PEER)
    assert release_due() == [following.pk]


def test_the_age_of_the_oldest_is_counted_from_its_acceptance() -> None:
    in_assessment()
    Message.objects.update(outcome_at=timezone.now() - timedelta(hours=3))
    assert 10_800 <= queries.quality_assessments().oldest_s < 10_900


def test_one_without_a_status_for_a_day_keeps_no_alert_open() -> None:
    in_assessment()
    Message.objects.update(outcome_at=timezone.now() - timedelta(hours=25))
    assert queries.quality_assessments() == queries.QualityAssessments(1, 0.0)


def test_a_dropped_message_says_why_and_waits_for_its_template() -> None:
    message = dropped()
    assert release_due() == []
    message.refresh_from_db()
    assert message.hold
    waits = message.hold.partition(":")[0]
    assert ("failed", True) in trail(message.pk)
    assert (message.status, message.error_code, message.error_title, waits) == (
        *("pending", 132015, "Template is Paused", "template"),
    )


def test_a_dropped_message_goes_on_as_soon_as_meta_approves_its_template() -> None:
    message = dropped()
    release_due()
    template_status("APPROVED")
    sweep_holds()
    assert release_due() == [message.pk]


def test_a_dropped_message_can_be_cancelled() -> None:
    assert cancel(dropped(), "ann").status == Status.CANCELLED


def test_a_second_report_of_the_drop_changes_nothing() -> None:
    message = dropped()
    before: list[tuple[UUID, str]] = list(Message.objects.values_list("id", "status"))
    receive(webhook(statuses=(status("failed", at=int(timezone.now().timestamp()), errors=DROPPED),)))
    assert (list(Message.objects.values_list("id", "status")), trail(message.pk).count(("failed", True))) == (before, 1)
