"""Accounts and numbers are filled from the Graph API."""

from typing import Any

import pytest
from django.utils import timezone

from messaging.accounts import known_accounts, sync, sync_account
from messaging.models import Account, BusinessNumber, Portfolio
from messaging.portfolios import store_limit
from messaging.whatsapp.errors import WhatsAppError
from messaging.whatsapp.graph import AccountNode, GraphApi, NumberNode
from messaging.whatsapp.graph.nodes import account_node, number_node
from messaging.whatsapp.messaging_limits import MessagingLimit
from tests.messaging.factories import pending
from tests.messaging.lock_order import holds_while_waiting
from tests.messaging.sandbox.graph_api.calls import NUMBERS, WABA
from tests.messaging.sandbox.process import NUMBER, Sandbox

pytestmark = pytest.mark.django_db


def change(sandbox: Sandbox, **facts: Any) -> None:
    sandbox.post("/_sandbox/account", facts)


def test_an_account_and_its_numbers_are_stored(api: GraphApi) -> None:
    found = sync_account(api, WABA)
    account = Account.objects.get()
    assert (account.waba_id, account.name, account.currency, account.review_status) == (
        *(WABA, "Sandbox Ltd.", "USD", "APPROVED"),
    )
    assert found.new == tuple(NUMBERS)
    number = BusinessNumber.objects.get(phone_number_id=NUMBER)
    assert (number.waba_id, number.display_phone_number, number.quality, number.status, number.account_mode) == (
        *(WABA, "15550783881", "GREEN", "CONNECTED", "LIVE"),
    )


def test_a_second_sync_takes_over_what_changed_and_nothing_else(api: GraphApi, sandbox: Sandbox) -> None:
    sync_account(api, WABA)
    BusinessNumber.objects.filter(phone_number_id=NUMBER).update(rate=20, portfolio="shop")
    change(sandbox, numbers={NUMBER: {"quality_rating": "RED", "verified_name": "New name"}})
    found = sync_account(api, WABA)
    number = BusinessNumber.objects.get(phone_number_id=NUMBER)
    assert (number.quality, number.verified_name, number.rate, number.portfolio) == ("RED", "New name", 20, "shop")
    assert found.new == ()


def test_the_token_of_an_account_stays_the_chosen_one(api: GraphApi) -> None:
    Account.objects.create(waba_id=WABA, token_name="WA_ACCESS_TOKEN_SHOP")
    assert sync_account(api, WABA).account.token_name == "WA_ACCESS_TOKEN_SHOP"


def test_a_refusal_stores_nothing(api: GraphApi) -> None:
    with pytest.raises(WhatsAppError) as refusal:
        sync_account(api, "999")
    assert (refusal.value.subcode, Account.objects.count(), BusinessNumber.objects.count()) == (33, 0, 0)


def test_the_accounts_of_a_token_are_those_that_it_is_granted_for(api: GraphApi) -> None:
    assert known_accounts(api) == [WABA]


def test_an_account_of_another_token_is_not_asked_for_with_this_one(api: GraphApi) -> None:
    Account.objects.create(waba_id="77", token_name="WA_ACCESS_TOKEN_SHOP")
    BusinessNumber.objects.create(phone_number_id="7", waba_id="77")
    assert known_accounts(api) == [WABA]


@pytest.mark.parametrize(("other", "portfolio"), [("1", "2729063490586005"), ("2729063490586005", "")])
def test_contacts_of_two_portfolios_are_kept_apart(api: GraphApi, other: str, portfolio: str) -> None:
    Account.objects.create(waba_id="77", portfolio_id=other)
    BusinessNumber.objects.create(phone_number_id="7", waba_id="77")
    sync_account(api, WABA)
    assert BusinessNumber.objects.get(phone_number_id=NUMBER).portfolio == portfolio


def test_a_number_with_messages_keeps_its_portfolio(api: GraphApi) -> None:
    Account.objects.create(waba_id="77", portfolio_id="1")
    BusinessNumber.objects.create(phone_number_id="7", waba_id="77")
    pending(1)
    sync_account(api, WABA)
    assert BusinessNumber.objects.get(phone_number_id=NUMBER).portfolio == ""


def test_what_a_webhook_writes_to_an_account_during_its_sync_stays(
    api: GraphApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_account(api, WABA)
    fill = sync._fill

    def fill_late(row: Any, **facts: str) -> None:
        if isinstance(row, Account):
            Account.objects.update(restriction="RESTRICTED", templates_due_at="2026-01-01T00:00Z")
        fill(row, **facts)

    monkeypatch.setattr(sync, "_fill", fill_late)
    sync_account(api, WABA)
    row = Account.objects.get()
    assert (row.restriction, row.templates_due_at.isoformat()) == ("RESTRICTED", "2026-01-01T00:00:00+00:00")


class TwoNumbers:
    """Meta, which lists the numbers with the ids 1 and 2."""

    def account(self, waba_id: str) -> AccountNode:
        return account_node({"id": waba_id})

    def phone_numbers(self, waba_id: str) -> list[NumberNode]:
        return [number_node({"id": name, "whatsapp_business_manager_messaging_limit": "TIER_2K"}) for name in "12"]


class LimitThatEnds(TwoNumbers):
    """Meta, which ends the limit once it has read the answer that names it; the webhook is stored first."""

    def phone_numbers(self, waba_id: str) -> list[NumberNode]:
        numbers = super().phone_numbers(waba_id)
        store_limit(waba_id, MessagingLimit("TIER_UNLIMITED", None), timezone.now().replace(microsecond=0))
        return numbers


def test_an_answer_of_before_does_not_undo_the_webhook_of_a_new_limit() -> None:
    BusinessNumber.objects.create(phone_number_id="1", waba_id=WABA)
    api: Any = LimitThatEnds()
    sync_account(api, WABA)
    assert Portfolio.objects.get().tier == "TIER_UNLIMITED"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("first", "second"), [("2", "1"), ("other", "1")], ids=["its own", "of its portfolio"])
def test_a_sync_locks_numbers_in_the_order_in_which_throttles_do(first: str, second: str) -> None:
    portfolio = Portfolio.objects.create(key=WABA)
    rows = {
        name: BusinessNumber.objects.create(phone_number_id=name, waba_id=waba_id, limited_by=portfolio)
        for name, waba_id in (("other", "77"), ("2", WABA), ("1", WABA))
    }
    api: Any = TwoNumbers()
    assert not holds_while_waiting(lambda: sync_account(api, WABA), rows[first], rows[second])
