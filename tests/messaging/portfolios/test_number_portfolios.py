"""Numbers share the messaging limit of their portfolio, as Meta names both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.accounts import sync_account
from messaging.incoming.store import receive
from messaging.models import Account, BusinessNumber, Portfolio
from messaging.portfolios import assign_portfolio
from messaging.portfolios.number_portfolios import store_limit
from messaging.whatsapp.graph import GraphApi
from messaging.whatsapp.messaging_limits import MessagingLimit
from tests.messaging.factories import number, pending
from tests.messaging.portfolios.limited_portfolio import limited, release_all
from tests.messaging.sandbox.graph_api.calls import WABA
from tests.messaging.sandbox.process import NUMBER, Sandbox

pytestmark = pytest.mark.django_db
PORTFOLIO = "2729063490586005"


def event(field: str, at: int | None = None, **value: Any) -> dict[str, Any]:
    entry = {"id": WABA, "changes": [{"field": field, "value": value}], "time": at}
    return {"object": "whatsapp_business_account", "entry": [{k: v for k, v in entry.items() if v is not None}]}


@pytest.mark.parametrize(
    ("account", "portfolio", "waba_id", "key"),
    [("1", "shop", "7", "1"), ("", "shop", "7", "shop"), ("", "", "7", "7"), ("", "", "", "")],
)
def test_a_number_shares_the_limit_of_metas_portfolio_or_of_what_is_known_of_it(
    account: str, portfolio: str, waba_id: str, key: str
) -> None:
    Account.objects.create(waba_id="7", portfolio_id=account)
    assign_portfolio(number(waba_id=waba_id, portfolio=portfolio).pk)
    assert Portfolio.objects.get().key == key


def test_a_sync_stores_the_limit(meta_api: GraphApi, sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"messaging_limit": 2000})
    sync_account(meta_api, WABA)
    portfolio = Portfolio.objects.get()
    assert (portfolio.key, portfolio.tier, portfolio.users_a_day) == (PORTFOLIO, "TIER_2K", 2000)
    assert BusinessNumber.objects.get(phone_number_id=NUMBER).limited_by == portfolio


def test_who_was_opened_before_meta_named_the_portfolio_still_counts(meta_api: GraphApi, sandbox: Sandbox) -> None:
    pending(5)
    release_all()
    sandbox.post("/_sandbox/settings", {"messaging_limit": 250})
    sync_account(meta_api, WABA)
    assert Portfolio.objects.get(key=PORTFOLIO).opened == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("business_capability_update", {"max_daily_conversations_per_business": "TIER_10K"}, 10_000),
        ("business_capability_update", {"max_daily_conversations_per_business": 2000}, 2000),
        ("business_capability_update", {"max_daily_conversation_per_phone": 1000}, 1000),
        ("phone_number_quality_update", {"event": "UPGRADE", "current_limit": "TIER_2K"}, 2000),
        ("phone_number_quality_update", {"max_daily_conversations_per_business": "TIER_UNLIMITED"}, None),
        ("business_capability_update", {"max_phone_numbers_per_waba": 25}, 250),
        ("account_update", {"event": "X", "max_daily_conversations_per_business": "TIER_2K"}, 250),
    ],
)
def test_a_webhook_changes_the_limit(field: str, value: dict[str, Any], limit: int | None) -> None:
    limited(250, waba_id=WABA)
    receive(event(field, **value))
    assert Portfolio.objects.get().users_a_day == limit


@pytest.mark.django_db(transaction=True)
def test_a_late_webhook_does_not_undo_a_newer_limit() -> None:
    limited(250, waba_id=WABA)
    now = timezone.now()
    for age, limit in ((1, "TIER_10K"), (2, "TIER_2K")):
        at = int((now - timedelta(hours=age)).timestamp())
        receive(event("business_capability_update", at, max_daily_conversations_per_business=limit))
    assert Portfolio.objects.get().users_a_day == 10_000


@pytest.mark.django_db(transaction=True)
def test_the_limit_of_another_account_is_left_alone() -> None:
    limited(250, waba_id="other")
    receive(event("business_capability_update", max_daily_conversations_per_business="TIER_2K"))
    assert Portfolio.objects.get().users_a_day == 250


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [lambda _: store_limit(WABA, MessagingLimit("TIER_2K", 2000), timezone.now()), assign_portfolio],
    ids=["a limit", "a placement"],
)
def test_no_message_waits_for_the_lock_of_its_number(change: Callable[[int], object]) -> None:
    sender = number(waba_id=WABA)

    def send() -> int:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                return len(accept([NewMessage("15550000001", "text", {"content": "hello"}, sender)]))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        change(sender.pk)
        assert other.submit(send).result() == 1
