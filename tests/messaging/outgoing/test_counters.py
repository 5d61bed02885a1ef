"""Counters of messages, numbers and pairs that have reached the largest value of their column."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import BusinessNumber, Message, PairPace
from messaging.outgoing.claims import claim
from messaging.outgoing.recovery import sweep_unclaimed
from messaging.whatsapp.errors import Scope, Throttled
from tests.messaging.factories import answered, claimed, pending, release_due, released, states_of

pytestmark = pytest.mark.django_db
# Of a PostgreSQL smallint.
LARGEST = 32767


@pytest.mark.parametrize("releases", [6, 1100, LARGEST])
def test_a_message_that_no_worker_claimed_for_days_is_still_released_again(releases: int) -> None:
    batch = released()
    Message.objects.update(releases=releases, released_at=timezone.now() - timedelta(minutes=6))
    sweep_unclaimed()
    assert (states_of(*batch.message_ids), release_due()) == (["pending"], batch.message_ids)


def test_a_message_that_was_called_as_often_as_can_be_counted_is_claimed() -> None:
    batch = released(2)
    Message.objects.filter(pk=batch.message_ids[0]).update(calls=LARGEST)
    assert len(claim([batch])) == 2


@pytest.mark.parametrize("scope", [Scope.NUMBER, Scope.PAIR])
def test_a_throttle_that_follows_as_many_as_can_be_counted_keeps_its_message(scope: Scope) -> None:
    row = claimed()
    now = timezone.now()
    BusinessNumber.objects.update(throttles=LARGEST, throttled_until=now)
    PairPace.objects.update(throttles=LARGEST, not_before=now)
    assert answered(row, Throttled(code=4, scope=scope, wait=1.0)).status == "pending"


def test_a_message_goes_on_with_its_own_number_of_releases() -> None:
    (row,) = pending()
    release_due()
    assert Message.objects.get(pk=row.pk).releases == 1
