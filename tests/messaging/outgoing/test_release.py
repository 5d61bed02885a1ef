"""Release by the dispatcher, and recovery of lost rows."""

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db.models import F
from django.utils import timezone

from messaging.models import BusinessNumber, Message, MessageEvent, Priority
from messaging.models.messages import MAX_COUNT
from messaging.outgoing.recovery import MAX_RELEASES, sweep_expired_leases, sweep_unclaimed, undo_release
from messaging.outgoing.release import numbers_with_due_messages, release
from tests.messaging.factories import claimed, number, pending, release_due, released, sending, states_of

pytestmark = pytest.mark.django_db


def age(seconds: float, **fields: object) -> None:
    """Move the release of all messages into the past."""
    Message.objects.exclude(released_at=None).update(
        released_at=F("released_at") - timedelta(seconds=seconds), **fields
    )


def test_due_messages_are_queued_under_one_release_id() -> None:
    batch = released(3)
    rows = Message.objects.filter(release_id=batch.release_id, status="queued")
    assert {row.id for row in rows} == set(batch.message_ids)


def test_urgent_messages_are_first() -> None:
    low = pending(priority=Priority.LOW, peer="15550000001")
    high = pending(priority=Priority.HIGH, peer="15550000002")
    (batch,) = release(number().pk)
    assert batch.message_ids == [high[0].id, low[0].id]


def test_a_recipient_gets_one_message_at_a_time_in_the_order_of_acceptance() -> None:
    first, second = pending(peer="15550000001"), pending(peer="15550000001")
    batches = [release(number().pk), release(number().pk)]
    assert [[b.message_ids for b in batch] for batch in batches] == [[[first[0].id]], []]
    assert states_of(second[0].id) == ["pending"]


def test_many_messages_to_one_recipient_do_not_delay_the_others() -> None:
    for _ in range(60):
        pending(peer="15550000001")
    other = pending(peer="15550000002")
    (batch,) = release(number().pk)
    assert other[0].id in batch.message_ids


def test_a_message_that_is_due_later_waits() -> None:
    pending(due_at=timezone.now() + timedelta(minutes=1))
    assert release(number().pk) == []


def test_a_scheduled_urgent_message_does_not_block_its_recipient() -> None:
    pending(peer="15550000001", priority=Priority.HIGH, due_at=timezone.now() + timedelta(hours=1))
    now = pending(peer="15550000001")
    (batch,) = release(number().pk)
    assert batch.message_ids == [now[0].id]


def test_a_paused_number_releases_nothing() -> None:
    pending()
    assert (release(number(paused_at=timezone.now()).pk), numbers_with_due_messages()) == ([], [])


def test_the_queue_holds_at_most_half_a_second_of_the_pace() -> None:
    pending(200)
    for _ in range(5):
        release(number(rate=80).pk)
    assert Message.objects.filter(status="queued").count() == int(80 * 0.97 * 0.5)


def test_a_number_whose_calls_are_scheduled_ahead_releases_nothing() -> None:
    pending()
    sender = number(rate=80)
    BusinessNumber.objects.filter(pk=sender.pk).update(tokens=-50, tokens_at=timezone.now())
    assert release(sender.pk) == []


@pytest.mark.parametrize("inbound", [80.0, 1000.0])
def test_a_number_whose_users_write_as_much_as_meta_allows_still_sends(inbound: float) -> None:
    (message,) = pending()
    assert [batch.message_ids for batch in release(number(rate=80).pk, inbound)] == [[message.id]]


def test_the_calls_of_consecutive_releases_keep_the_space_of_the_pace() -> None:
    pending(100)
    sender = number(rate=80)
    BusinessNumber.objects.filter(pk=sender.pk).update(tokens=0, tokens_at=timezone.now())
    for _ in range(3):
        release(sender.pk)
        time.sleep(0.05)
    calls = sorted(row.call_at for row in Message.objects.all() if row.call_at)
    spaces = [(after - before).total_seconds() for before, after in pairwise(calls)]
    # A release that comes late leaves a longer space.
    assert min(spaces) == pytest.approx(1 / 77.6, abs=0.0001)


def test_the_rows_of_an_unpublished_release_are_pending_and_it_does_not_count() -> None:
    batch = released(2)
    undo_release(batch)
    assert set(Message.objects.values_list("status", "releases", "released_at")) == {("pending", 0, None)}


def test_an_unclaimed_message_is_pending_after_15_seconds() -> None:
    released(1)
    age(14)
    sweep_unclaimed()
    early = Message.objects.get().status
    age(2)
    sweep_unclaimed()
    assert (early, Message.objects.get().status) == ("queued", "pending")


def test_the_wait_doubles_with_each_release() -> None:
    released(1)
    age(29, releases=2)
    sweep_unclaimed()
    assert Message.objects.get().status == "queued"


def test_after_five_releases_an_unclaimed_message_fails_where_others_are_claimed() -> None:
    (message_id,) = released(1).message_ids
    age(600, releases=MAX_RELEASES)
    claimed(peer="15559990000")
    sweep_unclaimed()
    message = Message.objects.get(pk=message_id)
    assert (message.status, message.error_title) == ("failed", "release_limit")


def test_a_paused_numbers_message_does_not_reach_the_release_limit() -> None:
    (message_id,) = released(1).message_ids
    age(600, releases=MAX_RELEASES)
    claimed(peer="15559990000")
    number(paused_at=timezone.now())
    sweep_unclaimed()
    assert states_of(message_id) == ["pending"]


def test_while_no_worker_runs_no_message_reaches_the_release_limit() -> None:
    claimed(peer="15559990000")
    MessageEvent.objects.update(at=timezone.now() - timedelta(seconds=700))
    (message_id,) = released(1).message_ids
    age(600, releases=MAX_RELEASES)
    sweep_unclaimed()
    assert states_of(message_id) == ["pending"]


def test_an_expired_lease_makes_the_outcome_unknown() -> None:
    sending(1)
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep_expired_leases()
    assert Message.objects.get().status == "unknown"


def test_a_message_with_a_valid_lease_is_left_alone() -> None:
    sending(1)
    sweep_expired_leases()
    assert Message.objects.get().status == "sending"


@pytest.mark.parametrize("releases", [6, 1100, MAX_COUNT])
def test_a_message_that_no_worker_claimed_for_days_is_still_released_again(releases: int) -> None:
    batch = released()
    age(seconds=360, releases=releases)
    sweep_unclaimed()
    assert (states_of(*batch.message_ids), release_due()) == (["pending"], batch.message_ids)
