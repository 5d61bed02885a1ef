"""Consent is checked once more when a worker claims: a block may be committed while a release is under way."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.models import Message, MessageEvent
from messaging.outgoing.claims import claim
from messaging.outgoing.recovery import queued_releases, sweep_unclaimed
from messaging.outgoing.release import Release, release
from tests.messaging.factories import number
from tests.messaging.outgoing.test_consent_at_release import BLOCKED, OPTED_OUT, WAYS, block, opt_out, template

pytestmark = pytest.mark.django_db


def released(way: Callable[[], Message]) -> tuple[Message, list[Release]]:
    row = way()
    batches = release(number().pk)
    row.refresh_from_db()
    assert row.status == "queued"
    return row, batches


@pytest.mark.parametrize("way", WAYS)
def test_a_block_during_a_release_keeps_the_message_on_every_way(way: Callable[[], Message]) -> None:
    row, batches = released(way)
    block()
    assert claim(batches) == []
    row.refresh_from_db()
    assert (row.status, row.error_title) == ("cancelled", BLOCKED)


@pytest.mark.parametrize("way", WAYS)
def test_an_opt_out_during_a_release_keeps_marketing_on_every_way(way: Callable[[], Message]) -> None:
    row, batches = released(way)
    opt_out()
    assert claim(batches) == []
    row.refresh_from_db()
    assert (row.status, row.error_title) == ("cancelled", OPTED_OUT)


def test_a_block_keeps_a_message_from_the_dispatchers_own_delivery() -> None:
    row, _ = released(template)
    block()
    Message.objects.filter(pk=row.pk).update(released_at=timezone.now() - timedelta(minutes=1))
    assert claim(queued_releases(10, 50)) == []
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_a_block_keeps_a_message_from_a_second_release() -> None:
    row, _ = released(template)
    Message.objects.filter(pk=row.pk).update(released_at=timezone.now() - timedelta(minutes=10))
    sweep_unclaimed()
    block()
    assert release(number().pk) == []
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_a_block_by_user_id_counts_too() -> None:
    row, batches = released(template)
    Message.objects.filter(pk=row.pk).update(peer="US.1")
    block(phone=None, phone_key=None, user_id="US.1")
    assert claim(batches) == []
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_a_message_that_consent_allows_is_claimed_from_a_contact_who_opted_out() -> None:
    row, batches = released(lambda: template("order_update"))
    opt_out()
    assert [one.message_id for one in claim(batches)] == [row.pk]


def test_the_trail_of_a_cancelled_claim_names_the_worker() -> None:
    row, batches = released(template)
    block()
    claim(batches)
    assert MessageEvent.objects.filter(message=row).latest("id").source == "worker"


def test_a_claim_without_suppressed_contacts_is_one_query() -> None:
    _, batches = released(template)
    with CaptureQueriesContext(connection) as queries:
        claim(batches)
    assert len(queries) == 1
