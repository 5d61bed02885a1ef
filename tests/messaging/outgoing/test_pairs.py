"""A recipient's own pace, and the queue in which its messages wait."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from messaging.models import Message, PairPace, Priority
from messaging.outgoing.rate_limits import PAIR_BURST
from messaging.outgoing.recovery import sweep_pairs
from messaging.outgoing.release import numbers_with_due_messages
from messaging.whatsapp.errors import Scope, Throttled
from tests.messaging.factories import accepted, answered, claimed, go_on, pending

pytestmark = pytest.mark.django_db
ANN, BOB = "15550000001", "15550000002"
TOO_FAST = Throttled(code=131056, scope=Scope.PAIR, wait=4.0, growth=4.0)


def over() -> None:
    """Whatever is on its way has arrived."""
    Message.objects.exclude(released_at=None).update(outcome_at=timezone.now())


def pass_time(seconds: float) -> None:
    """Let the paces be as they will be then."""
    ago = timedelta(seconds=seconds)
    PairPace.objects.update(tat=F("tat") - ago, wake_at=F("wake_at") - ago, not_before=F("not_before") - ago)


def test_a_recipient_gets_45_messages_at_once_and_then_one_in_6_seconds() -> None:
    for _ in range(PAIR_BURST + 1):
        pending(peer=ANN)
    count = 0
    while go_on():
        count += 1
        over()
    pass_time(8)
    assert (count, len(go_on()), len(go_on())) == (PAIR_BURST, 1, 0)


def test_parked_messages_go_in_the_order_they_were_accepted() -> None:
    ids = [pending(peer=ANN)[0].id for _ in range(4)]
    went = []
    for _ in range(4):
        went += go_on()
        over()
    assert went == ids


def test_an_urgent_message_overtakes_what_is_parked() -> None:
    first, second = pending(peer=ANN)[0].id, pending(peer=ANN)[0].id
    went = go_on()
    urgent = pending(peer=ANN, priority=Priority.HIGH)[0].id
    for _ in range(2):
        over()
        went += go_on()
    assert went == [first, urgent, second]


def test_a_message_that_comes_later_does_not_overtake_what_is_parked() -> None:
    first, second = pending(peer=ANN)[0].id, pending(peer=ANN)[0].id
    went = go_on()
    third = pending(peer=ANN)[0].id
    for _ in range(2):
        over()
        went += go_on()
    assert went == [first, second, third]


def test_a_waiting_message_is_met_once_and_not_at_each_tick() -> None:
    for _ in range(5):
        pending(peer=ANN)
    go_on()
    assert (Message.objects.filter(hold="pair").count(), numbers_with_due_messages() and go_on()) == (4, [])


def test_thousands_to_one_recipient_do_not_hold_up_another() -> None:
    Message.objects.bulk_create(pending_rows(1200))
    other = pending(peer=BOB)[0].id
    assert other in go_on()


def pending_rows(count: int) -> list[Message]:
    (row,) = pending(peer=ANN)
    fields = {"direction": row.direction, "number": row.number, "type": "text", "content": row.content}
    return [Message(**fields, peer=ANN, status="pending", due_at=row.due_at) for _ in range(count)]


def test_a_recipient_whose_parked_messages_are_gone_is_forgotten() -> None:
    for _ in range(2):
        pending(peer=ANN)
    go_on()
    over()
    Message.objects.filter(hold="pair").delete()
    go_on()
    assert numbers_with_due_messages() == []


def test_meta_throttling_one_pair_leaves_the_other_recipients_alone() -> None:
    answered(claimed(peer=ANN), TOO_FAST)
    bob = pending(peer=BOB)[0].id
    assert go_on() == [bob]


def test_a_throttled_pair_waits_four_times_longer_each_time_in_a_row() -> None:
    row, waits = claimed(peer=ANN), []
    for _ in range(3):
        answered(row, TOO_FAST)
        not_before = PairPace.objects.get().not_before
        assert not_before
        waits.append(round((not_before - timezone.now()).total_seconds()))
        pass_time(waits[-1] + 1)
    assert waits == [4, 16, 64]


def test_a_throttled_message_keeps_its_turn() -> None:
    first = answered(claimed(peer=ANN), TOO_FAST)
    second = pending(peer=ANN)[0]
    go_on()
    pass_time(5)
    assert (go_on(), second.id) == ([first.id], second.id)


def test_a_pace_that_says_nothing_any_more_is_forgotten() -> None:
    answered(claimed(peer=ANN), accepted())
    pass_time(20)
    sweep_pairs()
    assert not PairPace.objects.exists()
