"""Numbers share the messaging limit of their portfolio, as Meta names both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.accounts import sync_account
from messaging.incoming.store import receive
from messaging.models import Account, BusinessNumber, Portfolio
from messaging.portfolios import assign_portfolio, assign_portfolios
from messaging.portfolios.budget import counted_from
from messaging.portfolios.number_portfolios import read_limit_event, store_limit
from messaging.whatsapp.graph import GraphApi
from messaging.whatsapp.messaging_limits import MessagingLimit
from tests.messaging.factories import number, pending
from tests.messaging.lock_order import locks
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
    Account.objects.create(waba_id="6", portfolio_id="2")
    Account.objects.create(waba_id="7", portfolio_id=account)
    assign_portfolio(number(waba_id=waba_id, portfolio=portfolio).pk)
    assert Portfolio.objects.get().key == key


def test_numbers_with_a_portfolio_keep_it_and_others_get_one() -> None:
    placed, new, other = (BusinessNumber.objects.create(phone_number_id=key, waba_id=key) for key in "789")
    before = counted_from(timezone.now())
    first = assign_portfolio(placed.pk)
    assert before <= Portfolio.objects.get().counted_from <= counted_from(timezone.now())
    found = assign_portfolios([placed.pk, new.pk])
    assert found == {placed.pk: first, new.pk: Portfolio.objects.get(key="8").pk}
    assert dict(BusinessNumber.objects.values_list("pk", "limited_by")) == {**found, other.pk: None}


def test_numbers_that_have_their_portfolio_are_looked_up_in_one_statement(django_assert_num_queries: Any) -> None:
    pks = [BusinessNumber.objects.create(phone_number_id=key, portfolio=key).pk for key in "78"]
    assign_portfolios(pks)
    with django_assert_num_queries(3):  # with those of a savepoint
        assign_portfolios(pks)


@pytest.mark.parametrize(
    ("limit_at", "expected"),
    [
        (None, ("TIER_250", 250, datetime(2026, 11, 1, tzinfo=UTC))),
        (datetime(2026, 10, 1, tzinfo=UTC), ("TIER_2K", 2000, datetime(2026, 10, 1, tzinfo=UTC))),
    ],
    ids=["unknown", "known"],
)
def test_a_portfolio_that_meta_names_has_the_limit_of_its_number_until_its_own_is_known(
    limit_at: datetime | None, expected: tuple[str, int, datetime]
) -> None:
    sender = limited(250, waba_id="7")
    Portfolio.objects.update(tier="TIER_250", limit_at=datetime(2026, 11, 1, tzinfo=UTC))
    known = ("TIER_2K", 2000) if limit_at else ("", None)
    Portfolio.objects.create(key="1", tier=known[0], users_a_day=known[1], limit_at=limit_at)
    other = Portfolio.objects.create(key="another")
    Account.objects.create(waba_id="7", portfolio_id="1")
    assign_portfolio(number().pk)
    found = Portfolio.objects.values_list("tier", "users_a_day", "limit_at")
    assert (found.get(key="1"), found.get(pk=other.pk)) == (expected, ("", None, None))
    assert BusinessNumber.objects.get().limited_by != sender


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("business_capability_update", None),
        ("business_capability_update", [1]),
        ("business_capability_update", {}),
        ("account_update", {"max_daily_conversations_per_business": 2000}),
    ],
    ids=str,
)
def test_most_webhooks_name_no_limit(kind: str, value: object) -> None:
    assert read_limit_event(kind, value) is None


def test_the_newest_name_of_a_limit_counts() -> None:
    value = {"max_daily_conversation_per_phone": 1000, "max_daily_conversations_per_business": 2000}
    assert read_limit_event("business_capability_update", value) == MessagingLimit("TIER_2K", 2000)


@pytest.mark.parametrize(("waba_id", "changed"), [("7", ["7", "8"]), ("9", ["9"]), ("", []), ("unknown", [])])
def test_a_limit_is_that_of_all_numbers_of_the_portfolio_and_of_no_others(waba_id: str, changed: list[str]) -> None:
    for key, portfolio in (("7", "shop"), ("8", "shop"), ("9", ""), ("", "")):
        BusinessNumber.objects.create(phone_number_id=f"1{key}", waba_id=key, portfolio=portfolio)
    assign_portfolios(list(BusinessNumber.objects.values_list("pk", flat=True)))
    at = timezone.now()
    store_limit(waba_id, MessagingLimit("TIER_2K", 2000), at)
    found = BusinessNumber.objects.order_by("pk").filter(messaging_limit="TIER_2K").select_related("limited_by")
    assert [row.waba_id for row in found] == changed
    limits = BusinessNumber.objects.order_by("pk").filter(limited_by__users_a_day=2000, limited_by__limit_at=at)
    assert [row.waba_id for row in limits] == changed


def test_numbers_are_locked_before_portfolios_in_the_order_of_their_keys() -> None:
    sender = limited(250, waba_id="7")
    assert sender.users_a_day == 250
    assert locks(lambda: store_limit("7", MessagingLimit("TIER_2K", 2000), timezone.now())) == [
        "messaging_businessnumber by id: NO KEY UPDATE",
        "messaging_businessnumber by id: NO KEY UPDATE",
        "messaging_portfolio by 1: NO KEY UPDATE",
    ]


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
