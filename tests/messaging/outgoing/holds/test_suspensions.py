"""Suspensions after refusals by Meta: scope, duration and operator alerts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from messaging.models import BusinessNumber, Hold, Message, PairPace
from messaging.outgoing.claims import claim
from messaging.outgoing.holds.suspensions import Refusal, apply_suspensions, pause, resume
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.rate_limits import PROBES_AFTER, UnknownStreak
from messaging.outgoing.release import release
from messaging.outgoing.retry_policy import Suspension
from messaging.whatsapp.errors import Misconfigured, NotSent, OutcomeUnknown, Rejected, Scope, Throttled, WhatsAppError
from tests.messaging.factories import accepted, answered, claimed, number, pending, release_due, released
from tests.messaging.lock_order import holds_while_waiting

pytestmark = pytest.mark.django_db
THROTTLED = Throttled(code=130429, scope=Scope.NUMBER, wait=2.0, growth=2.0)
SPAM = Misconfigured(code=131048, scope=Scope.NUMBER, title="spam")


def other_number(waba_id: str) -> BusinessNumber:
    return BusinessNumber.objects.create(phone_number_id=f"9{waba_id}", waba_id=waba_id)


@pytest.mark.parametrize(
    ("scope", "paused"), [(Scope.NUMBER, {"A"}), (Scope.ACCOUNT, {"A", "A2"}), (Scope.APP, {"A", "A2", "B"})]
)
def test_a_configuration_error_pauses_the_numbers_in_its_scope(scope: Scope, paused: set[str]) -> None:
    row = claimed()
    BusinessNumber.objects.filter(pk=row.number_id).update(waba_id="W1", display_phone_number="A")
    for name, waba_id in (("A2", "W1"), ("B", "W2")):
        BusinessNumber.objects.create(phone_number_id=name, waba_id=waba_id, display_phone_number=name)
    answered(row, Misconfigured(code=190, scope=scope, title="no"))
    names = BusinessNumber.objects.exclude(paused_at=None).values_list("display_phone_number", flat=True)
    assert set(names) == paused


def test_a_pause_keeps_the_message_and_a_person_ends_it() -> None:
    first = answered(claimed(), SPAM)
    while_paused = release_due()
    resume([first.number_id])
    assert (first.status, first.attempts, while_paused, release_due()) == ("pending", 0, [], [first.id])


def test_an_operator_is_alerted_to_a_pause(alerts: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    row = claimed()
    with django_capture_on_commit_callbacks(execute=True):
        answered(row, SPAM)
    assert alerts == [("paused", str(row.number_id))]


def test_queued_messages_of_a_paused_number_are_not_claimed() -> None:
    batch = released(3)
    number(paused_at=timezone.now())
    assert claim([batch]) == []


def test_a_throttled_number_waits_and_is_slowed() -> None:
    answered(claimed(), THROTTLED)
    row = BusinessNumber.objects.get()
    assert row.throttled_until
    assert (release_due(), row.pace_share, row.throttled_until > timezone.now()) == ([], 0.8, True)


def test_parallel_refusals_are_one_throttle() -> None:
    batch = released(5)
    rows = claim([batch])
    record([Outcome(row, THROTTLED, timezone.now()) for row in rows[:3]])
    record([Outcome(row, THROTTLED, timezone.now()) for row in rows[3:]])
    row = BusinessNumber.objects.get()
    assert (row.throttles, row.pace_share) == (1, 0.8)


def test_consecutive_throttles_last_longer_and_slow_more() -> None:
    row = claimed()
    for _ in range(3):
        BusinessNumber.objects.update(throttled_until=timezone.now() - timedelta(milliseconds=1), slowed_at=None)
        answered(row, THROTTLED)
    state = BusinessNumber.objects.get()
    assert state.throttled_until
    wait = (state.throttled_until - timezone.now()).total_seconds()
    assert (round(wait), round(state.pace_share, 3)) == (8, 0.512)


def test_a_number_keeps_a_tenth_of_its_pace_however_often_it_is_throttled() -> None:
    row = claimed()
    BusinessNumber.objects.update(pace_share=0.11)
    answered(row, THROTTLED)
    assert BusinessNumber.objects.get().pace_share == 0.1


def test_calls_that_never_leave_delay_the_number_and_do_not_slow_it() -> None:
    batch = released(5)
    rows = claim([batch])
    record([Outcome(row, NotSent(title="refused"), timezone.now()) for row in rows])
    state = number()
    assert (state.throttled_until is not None, state.pace_share) == (True, 1.0)


def test_calls_that_never_leave_beside_one_that_does_delay_nothing() -> None:
    batch = released(6)
    rows = claim([batch])
    answers: list[Any] = [accepted(), *[NotSent(title="refused")] * 5]
    record([Outcome(row, answer, timezone.now()) for row, answer in zip(rows, answers, strict=True)])
    assert number().throttled_until is None


@pytest.mark.parametrize(
    ("code", "scope", "wabas", "throttled"),
    [
        (4, Scope.APP, ("7", "7", "8"), {"own", "A2", "B"}),
        (80007, Scope.ACCOUNT, ("7", "7", "8"), {"own", "A2"}),
        (80007, Scope.ACCOUNT, ("", "", "8"), {"own"}),  # of an unknown account nothing says who belongs to it
        (130429, Scope.NUMBER, ("7", "7", "8"), {"own"}),
    ],
)
def test_a_throttle_delays_the_numbers_of_its_scope(
    code: int, scope: Scope, wabas: tuple[str, str, str], throttled: set[str]
) -> None:
    row = claimed()
    own = number(waba_id=wabas[0])
    others = BusinessNumber.objects
    names = {own.pk: "own"}
    for name, waba_id in (("A2", wabas[1]), ("B", wabas[2])):
        names[others.create(phone_number_id=f"9{len(names)}", waba_id=waba_id).pk] = name
    answered(row, Throttled(code=code, scope=scope, wait=300))
    until = timezone.now() + timedelta(seconds=200)
    found = BusinessNumber.objects.filter(throttled_until__gt=until).values_list("pk", flat=True)
    assert {names[pk] for pk in found} == throttled


def test_a_throttle_of_the_account_prolongs_a_shorter_one_of_the_number() -> None:
    row = claimed()
    number(waba_id="7", throttled_until=timezone.now() + timedelta(seconds=2))
    answered(row, Throttled(code=80007, scope=Scope.ACCOUNT, wait=300))
    until = number().throttled_until
    assert until and until > timezone.now() + timedelta(seconds=200)


def test_a_template_that_meta_paused_is_held_for_its_number_until_a_time() -> None:
    row = claimed()
    template: Any = {"type": "template", "content": {"name": "offer", "language": "en"}}
    answered(replace(row, **template), Throttled(code=132015, scope=Scope.TEMPLATE, wait=3 * 3600))
    hold = Hold.objects.get()
    assert hold.until
    assert (hold.kind, hold.key, hold.number_id, hold.until > timezone.now()) == (
        "template",
        "offer",
        row.number_id,
        True,
    )


def unknown_in_a_row(count: int) -> None:
    batch = released(count)
    rows = claim([batch])
    record([Outcome(row, OutcomeUnknown(title="no answer"), timezone.now()) for row in rows])


def probe(answer: Any) -> None:
    """The next probe, and its answer."""
    BusinessNumber.objects.update(probe_at=timezone.now())
    (batch,) = release(number().pk)
    (row,) = claim([batch])
    answered(row, answer)


def test_after_five_unknown_outcomes_a_number_only_probes() -> None:
    unknown_in_a_row(PROBES_AFTER)
    pending(10)
    at_once = release_due()
    BusinessNumber.objects.update(probe_at=timezone.now())
    assert (at_once, len(release_due()), release_due()) == ([], 1, [])


def test_after_four_unknown_outcomes_a_number_still_sends() -> None:
    unknown_in_a_row(PROBES_AFTER - 1)
    pending(3)
    assert len(release_due()) == 3


def test_an_accepted_probe_ends_the_probing() -> None:
    unknown_in_a_row(PROBES_AFTER)
    pending(10)
    probe(accepted())
    assert len(release_due()) == 9


@pytest.mark.parametrize("answer", [OutcomeUnknown(title="no answer"), Rejected(code=131026, title="undeliverable")])
def test_a_probe_that_is_not_accepted_continues_the_probing(answer: WhatsAppError) -> None:
    unknown_in_a_row(PROBES_AFTER)
    pending(10)
    probe(answer)
    assert release_due() == []


def test_an_operator_is_alerted_once_that_a_number_only_probes(
    alerts: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        unknown_in_a_row(PROBES_AFTER)
        pending(1)
        probe(OutcomeUnknown(title="no answer"))
    assert alerts == [("breaker", str(number().pk))]


def test_a_throttle_does_not_count_as_an_attempt() -> None:
    assert answered(claimed(), THROTTLED).attempts == Message.objects.get().attempts == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["streaks", "a pause"])
def test_numbers_are_locked_in_id_order(how: str) -> None:
    first, second = number(), other_number("B")

    def work() -> None:
        if how == "a pause":
            pause([second.pk, first.pk], reason="", by="tests")
            return
        with transaction.atomic():
            apply_suspensions([], {pk: UnknownStreak.of([None]) for pk in (second.pk, first.pk)})

    assert not holds_while_waiting(work, first, second)


@pytest.mark.django_db(transaction=True)
def test_a_number_is_locked_before_its_pairs() -> None:
    sender = number()
    pair = PairPace.objects.create(number=sender, peer="15550000001", tat=timezone.now())
    refusals = [
        Refusal(sender.pk, pair.peer, "", Suspension(scope, 4.0), reason="", called_at=timezone.now())
        for scope in (Scope.PAIR, Scope.NUMBER)
    ]

    def work() -> None:
        with transaction.atomic():
            apply_suspensions(refusals, {})

    assert not holds_while_waiting(work, sender, pair)
