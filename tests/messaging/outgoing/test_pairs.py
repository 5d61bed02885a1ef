"""The pair limit, and the queue of parked messages of a recipient."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from messaging.models import Message, PairPace, Priority
from messaging.outgoing import due_selection
from messaging.outgoing.recovery import sweep_pairs
from messaging.outgoing.release import numbers_with_due_messages
from messaging.whatsapp.errors import Scope, Throttled
from tests.messaging.factories import accepted, answered, claimed, pending, release_due

pytestmark = pytest.mark.django_db
ANN, BOB = "15550000001", "15550000002"
PAIR_LIMIT = Throttled(code=131056, scope=Scope.PAIR, wait=4.0, growth=4.0)


def finish_in_flight() -> None:
    """Give every message in flight an outcome."""
    Message.objects.exclude(released_at=None).update(outcome_at=timezone.now())


def pass_time(seconds: float) -> None:
    """Move the pair paces into the past."""
    ago = timedelta(seconds=seconds)
    PairPace.objects.update(
        tat=F("tat") - ago, wake_at=F("wake_at") - ago, not_before=F("not_before") - ago, burst_at=F("burst_at") - ago
    )


def pass_time_until(left_s: float) -> None:
    """Let so much be left of the time that pays the burst back, however long the releases took."""
    pass_time((PairPace.objects.get().tat - timezone.now()).total_seconds() - left_s)


@pytest.fixture
def long_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine 45 releases take longer than a burst may last."""
    monkeypatch.setattr(due_selection, "PAIR_BURST_S", 300.0)


def burst(count: int) -> int:
    """Release messages to Ann until the pair limit stops them; how many of `count`."""
    for _ in range(count):
        pending(peer=ANN)
    released = 0
    while release_due():
        released += 1
        finish_in_flight()
    return released


@pytest.mark.usefixtures("long_bursts")
def test_a_recipient_gets_45_messages_at_once() -> None:
    assert burst(46) == 45


@pytest.mark.usefixtures("long_bursts")
def test_after_a_burst_the_recipient_gets_nothing_until_it_is_paid_back() -> None:
    burst(46)
    assert PairPace.objects.get().tat - timezone.now() > timedelta(seconds=44 * 6.5 - 60)
    pass_time_until(5)
    early = release_due()
    pass_time(6)
    assert (early, len(release_due())) == ([], 1)


def test_a_burst_ends_after_five_seconds() -> None:
    burst(2)
    pass_time(5)
    pending(peer=ANN)
    early = release_due()
    pass_time(9)
    assert (early, len(release_due())) == ([], 1)


@pytest.mark.usefixtures("long_bursts")
def test_a_second_burst_has_what_is_left_of_the_credit() -> None:
    burst(40)
    pass_time_until(0)
    assert burst(20) == 1 + 5


@pytest.mark.usefixtures("long_bursts")
def test_credit_grows_by_one_for_each_interval_without_a_message() -> None:
    burst(45)
    pass_time_until(-10 * 6.5)
    assert burst(20) == 1 + 10


def test_a_pair_pace_is_kept_until_its_credit_is_full() -> None:
    burst(3)
    pass_time(3 * 6.5 + 6)
    sweep_pairs()
    kept = PairPace.objects.exists()
    pass_time(8)
    sweep_pairs()
    assert (kept, PairPace.objects.exists()) == (True, False)


def test_parked_messages_are_released_in_the_order_of_acceptance() -> None:
    ids = [pending(peer=ANN)[0].id for _ in range(4)]
    went = []
    for _ in range(4):
        went += release_due()
        finish_in_flight()
    assert went == ids


def test_an_urgent_message_overtakes_parked_ones() -> None:
    first, second = pending(peer=ANN)[0].id, pending(peer=ANN)[0].id
    went = release_due()
    urgent = pending(peer=ANN, priority=Priority.HIGH)[0].id
    for _ in range(2):
        finish_in_flight()
        went += release_due()
    assert went == [first, urgent, second]


def test_a_later_message_does_not_overtake_parked_ones() -> None:
    first, second = pending(peer=ANN)[0].id, pending(peer=ANN)[0].id
    went = release_due()
    third = pending(peer=ANN)[0].id
    for _ in range(2):
        finish_in_flight()
        went += release_due()
    assert went == [first, second, third]


def test_a_parked_message_is_read_by_one_tick_only() -> None:
    for _ in range(5):
        pending(peer=ANN)
    release_due()
    assert (Message.objects.filter(hold="pair").count(), numbers_with_due_messages() and release_due()) == (4, [])


def test_thousands_of_messages_to_one_recipient_do_not_delay_another() -> None:
    Message.objects.bulk_create(pending_rows(1200))
    other = pending(peer=BOB)[0].id
    assert other in release_due()


def pending_rows(count: int) -> list[Message]:
    (row,) = pending(peer=ANN)
    fields = {"direction": row.direction, "number": row.number, "type": "text", "content": row.content}
    return [Message(**fields, peer=ANN, status="pending", due_at=row.due_at) for _ in range(count)]


def test_a_recipient_without_parked_messages_is_not_due() -> None:
    for _ in range(2):
        pending(peer=ANN)
    release_due()
    finish_in_flight()
    Message.objects.filter(hold="pair").delete()
    release_due()
    assert numbers_with_due_messages() == []


def test_a_throttled_pair_does_not_delay_other_recipients() -> None:
    answered(claimed(peer=ANN), PAIR_LIMIT)
    bob = pending(peer=BOB)[0].id
    assert release_due() == [bob]


def test_a_throttled_pair_waits_four_times_longer_each_time_in_a_row() -> None:
    row, waits = claimed(peer=ANN), []
    for _ in range(3):
        answered(row, PAIR_LIMIT)
        not_before = PairPace.objects.get().not_before
        assert not_before
        waits.append(round((not_before - timezone.now()).total_seconds()))
        pass_time(waits[-1] + 1)
    assert waits == [4, 16, 64]


def test_a_throttled_message_keeps_its_place() -> None:
    first = answered(claimed(peer=ANN), PAIR_LIMIT)
    second = pending(peer=ANN)[0]
    release_due()
    pass_time(7)
    assert (release_due(), second.id) == ([first.id], second.id)


def test_a_pair_pace_that_limits_nothing_is_deleted() -> None:
    answered(claimed(peer=ANN), accepted())
    pass_time(20)
    sweep_pairs()
    assert not PairPace.objects.exists()
