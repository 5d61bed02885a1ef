"""When templates are synced, and by whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.message_templates import claim_syncs, record_failure, record_success, request_sync
from messaging.models import Account
from tests.messaging.plans import repeat_subqueries
from tests.messaging.sandbox.graph_api.calls import WABA

pytestmark = pytest.mark.django_db


def minutes_until_due() -> int:
    return round((Account.objects.get().templates_due_at - timezone.now()) / timedelta(minutes=1))


def test_a_new_account_is_due(account: Account) -> None:
    assert [due.waba_id for due in claim_syncs(5)] == [WABA]


def test_a_claimed_account_is_not_claimed_again(account: Account) -> None:
    claim_syncs(5)
    assert (claim_syncs(5), minutes_until_due()) == ([], 10)


def test_no_more_are_claimed_than_asked_for(account: Account) -> None:
    for n in range(5):
        Account.objects.create(waba_id=f"77{n}")
    repeat_subqueries()
    assert len(claim_syncs(1)) == 1


def test_the_next_sync_is_in_an_hour(account: Account) -> None:
    (due,) = claim_syncs(5)
    record_success(due)
    assert minutes_until_due() == 60


def test_accounts_that_were_claimed_together_are_synced_again_one_by_one(account: Account) -> None:
    Account.objects.create(waba_id="77")
    first, second = claim_syncs(5)
    record_failure(first)
    assert Account.objects.get(pk=second.account_id).templates_due_at == second.leased_until


def test_a_failed_sync_is_repeated_in_five_minutes(account: Account) -> None:
    (due,) = claim_syncs(5)
    record_failure(due)
    assert minutes_until_due() == 5


def test_a_request_during_a_sync_is_kept(account: Account) -> None:
    (due,) = claim_syncs(5)
    request_sync(WABA)
    record_success(due)
    assert claim_syncs(5)


def test_a_request_does_not_delay_a_sync_that_is_overdue(account: Account) -> None:
    before = timezone.now() - timedelta(hours=1)
    Account.objects.update(templates_due_at=before)
    request_sync(WABA)
    assert Account.objects.get().templates_due_at == before
