"""Claims of a release by workers."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from messaging.models import BusinessNumber, Message
from messaging.models.messages import MAX_COUNT
from messaging.outgoing import claims
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.release import Release
from messaging.whatsapp.client import Accepted
from tests.messaging.factories import released

pytestmark = pytest.mark.django_db
ACCEPTED = Accepted(wamid="wamid.X1", wa_id=None, user_id=None, message_status=None)


class Failed(Exception):
    """psycopg2's error as Django keeps it: the cause."""

    def __init__(self, pgcode: str) -> None:
        super().__init__(pgcode)
        self.pgcode = pgcode


def claimed() -> Claimed:
    batch = released(1)
    (row,) = claim([batch])
    return row


def test_a_duplicate_task_claims_nothing() -> None:
    batch = released(2)
    assert [len(claim([batch])) for _ in range(2)] == [2, 0]


def test_several_releases_are_claimed_in_one_query(django_assert_num_queries: Any) -> None:
    batches = [released(1), released(2)]
    with django_assert_num_queries(1):
        rows = claim(batches)
    assert {row.release_id for row in rows} == {batch.release_id for batch in batches}


def test_a_claim_is_leased_for_45_seconds() -> None:
    batch, before = released(1), timezone.now()
    (row,) = claim([batch])
    assert before <= row.lease_until - timedelta(seconds=45) <= timezone.now()


@pytest.mark.parametrize(("seconds", "claims"), [(-1, 0), (60, 1)])
def test_a_message_that_expired_in_the_queue_is_not_claimed(seconds: float, claims: int) -> None:
    batch = released(1)
    Message.objects.update(expires_at=timezone.now() + timedelta(seconds=seconds))
    assert len(claim([batch])) == claims


def test_another_release_claims_nothing() -> None:
    assert claim([Release(uuid4(), released(1).message_ids)]) == []


def test_a_claimed_message_has_all_that_its_call_needs() -> None:
    row = claimed()
    assert (row.peer, row.type, row.content, row.phone_number_id) == (
        "15550000000",
        "text",
        {"content": "hello"},
        BusinessNumber.objects.get().phone_number_id,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pgcode", ["40P01", "57P01"], ids=["deadlock", "connection lost"])
def test_claimed_messages_are_called_although_the_check_of_the_others_fails(
    pgcode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = released(2)
    Message.objects.filter(pk=batch.message_ids[0]).update(status="cancelled")
    error = OperationalError("failed")
    error.__cause__ = Failed(pgcode)
    monkeypatch.setattr(claims, "withdraw_or_allow", Mock(side_effect=[error, []]))
    assert [row.message_id for row in claim([batch])] == batch.message_ids[1:]


def test_a_message_that_was_called_as_often_as_can_be_counted_is_claimed() -> None:
    batch = released(2)
    Message.objects.filter(pk=batch.message_ids[0]).update(calls=MAX_COUNT)
    assert len(claim([batch])) == 2
