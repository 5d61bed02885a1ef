"""Estimates of what a send will cost."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.costs.accounts import Account
from analytics.costs.cards import CardRow, Price, in_force
from analytics.costs.estimates import Free, Planned, Pricer
from analytics.models import Layout
from messaging.models import IdempotencyKey, Message, TemplateCategory
from tests.analytics.costs.factories import LIST, card, charge
from tests.analytics.rollups.factories import inbound

pytestmark = pytest.mark.django_db
PEER = "4915112345678"
ACCOUNT = Account(1, "111", "222", "account 222", "UTC")
DAY, OCTOBER, NOVEMBER = date(2026, 11, 20), date(2026, 10, 1), date(2026, 11, 1)


def row(price: str, category: str = "utility", **fields: Any) -> CardRow:
    given = {"layout": Layout.LIST, "valid_from": OCTOBER, "tier_from": 0, "tier_to": None, **fields}
    return CardRow(1, market="Germany", category=category, price=Decimal(price), **given)


def prices(*rows: CardRow) -> list[Price]:
    return in_force(rows)


def message(category: str = "utility", day: date = DAY, **fields: Any) -> Planned:
    return Planned(ACCOUNT, "Germany", category, day, **fields)


def test_the_thousandth_service_message_is_free_and_the_next_one_is_not() -> None:
    pricer = Pricer(prices(row("0.01", "service")), 1000, OCTOBER, Counter({(1, NOVEMBER): 999}))
    found = [pricer.price(message("service")) for _ in range(2)]
    assert [(one.free, one.price) for one in found] == [(Free.SERVICE_TIER, 0), (None, Decimal("0.01"))]


def test_service_messages_are_free_before_the_free_tier_began() -> None:
    pricer = Pricer(prices(row("0.01", "service")), 0, OCTOBER)
    assert pricer.price(message("service", date(2026, 9, 30))).free == Free.SERVICE_TIER


def test_the_free_tier_begins_anew_with_each_month() -> None:
    pricer = Pricer([], 1, OCTOBER, Counter({(1, NOVEMBER): 1}))
    assert pricer.price(message("service", date(2026, 12, 1))).free == Free.SERVICE_TIER


def test_a_free_entry_point_frees_every_category() -> None:
    assert Pricer([], 0, OCTOBER).price(message(entry_point=True)).free == Free.ENTRY_POINT


def test_each_message_counts_for_the_tier_of_the_next() -> None:
    tiers = [
        row("0.10", layout=Layout.TIERS, tier_to=2),
        row("0.05", layout=Layout.TIERS, tier_from=2),
    ]
    pricer = Pricer(prices(*tiers), 0, OCTOBER, volumes=Counter({("account 222", NOVEMBER, "Germany", "utility"): 1}))
    assert [pricer.price(message()).price for _ in range(2)] == [Decimal("0.10"), Decimal("0.05")]


def test_a_message_without_a_known_category_has_no_price() -> None:
    assert Pricer(prices(row("1")), 0, OCTOBER).price(message("")).price is None


def test_a_message_that_is_due_after_a_price_change_costs_the_new_price() -> None:
    pricer = Pricer(prices(row("1"), row("3", valid_from=date(2026, 12, 1))), 0, OCTOBER)
    assert [pricer.price(message(day=day)).price for day in (DAY, date(2026, 12, 1))] == [1, 3]


TEXT = {"phone_number": f"+{PEER}", "message_type": "text", "message_data": {"content": "hello"}}
OFFER = {
    "phone_number": f"+{PEER}",
    "message_type": "template",
    "message_data": {"name": "offer", "language": "en"},
}


@pytest.fixture
def priced() -> None:
    """A card, and a template of a known category."""
    card(LIST + "Germany,USD,0.1365,0.05,0.05,0.01\n", "2020-01-01")
    TemplateCategory.objects.create(name="offer", category="marketing")


@pytest.mark.usefixtures("priced")
def test_an_estimate_has_the_price_of_each_message_and_the_total(api: APIClient) -> None:
    other = {**OFFER, "message_data": {"name": "unheard", "language": "en"}}
    bulk = {"messages": [OFFER, TEXT, {"phone_number": "x"}, other]}
    answer = api.post("/messaging/send/bulk?estimate=true", bulk, format="json")
    assert answer.status_code == 200
    found = answer.json()
    assert [one["index"] for one in found["refused"]] == [2]
    assert found["estimate"] == {
        "currency": "USD",
        "total": "0.1365",
        "charged": 1,
        "free": 1,
        "unpriced": 1,
        "cards": ["Test (USD, list) from 2020-01-01"],
        "messages": [
            {"index": 0, "market": "Germany", "category": "marketing", "price": "0.1365", "free": None},
            {"index": 1, "market": "Germany", "category": "service", "price": "0.00", "free": "free_customer_service"},
            {"index": 3, "market": "Germany", "category": None, "price": None, "free": None},
        ],
    }


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("path", ["/messaging/send", "/messaging/send/bulk"])
def test_an_estimate_sends_stores_and_consumes_nothing(api: APIClient, path: str) -> None:
    body = OFFER if path.endswith("send") else {"messages": [OFFER]}
    answer = api.post(f"{path}?estimate=true", body, format="json", HTTP_IDEMPOTENCY_KEY="one")
    assert answer.status_code == 200
    assert (Message.objects.count(), IdempotencyKey.objects.count()) == (0, 0)
    assert api.post(path, body, format="json", HTTP_IDEMPOTENCY_KEY="one").status_code == 202


def test_an_estimate_refuses_what_a_send_refuses(api: APIClient) -> None:
    answer = api.post("/messaging/send?estimate=true", {"phone_number": "x"}, format="json")
    assert (answer.status_code, "message_type" in answer.json()) == (400, True)


@pytest.mark.parametrize("path", ["/messaging/send", "/messaging/send/bulk"])
def test_an_estimate_refuses_a_malformed_idempotency_key(path: str, api: APIClient) -> None:
    answer = api.post(f"{path}?estimate=true", TEXT, format="json", HTTP_IDEMPOTENCY_KEY="x" * 256)
    assert (answer.status_code, list(answer.json())) == (400, ["Idempotency-Key"])


@pytest.mark.parametrize("value", ["yes", "1", "True", "true&estimate=true", ""])
def test_a_doubtful_wish_for_an_estimate_sends_nothing(api: APIClient, value: str) -> None:
    answer = api.post(f"/messaging/send?estimate={value}", TEXT, format="json")
    assert (answer.status_code, list(answer.json()), Message.objects.count()) == (400, ["estimate"], 0)


@pytest.mark.usefixtures("priced")
def test_a_message_to_a_user_who_came_by_an_ad_is_free(api: APIClient) -> None:
    inbound(timezone.now(), PEER, raw={"referral": {"source_type": "ad"}})
    answer = api.post("/messaging/send?estimate=true", OFFER, format="json").json()
    assert answer["estimate"]["messages"][0]["free"] == "free_entry_point"


@pytest.mark.usefixtures("priced")
def test_the_free_tier_of_an_estimate_counts_what_the_month_has_had(api: APIClient, settings: Any) -> None:
    settings.FREE_SERVICE_MESSAGES = 3
    charge(timezone.now(), 2, "service", price_type="free_customer_service")
    answer = api.post("/messaging/send/bulk?estimate=true", {"messages": [TEXT, TEXT]}, format="json").json()
    assert [one["price"] for one in answer["estimate"]["messages"]] == ["0.00", "0.01"]


@pytest.mark.usefixtures("priced")
def test_an_estimate_of_many_makes_as_many_queries_as_one_of_few(api: APIClient) -> None:
    counts = []
    for count in (1, 50):
        bulk = {"messages": [{**OFFER, "phone_number": f"+49151123456{n:02}"} for n in range(count)]}
        with CaptureQueriesContext(connection) as queries:
            assert api.post("/messaging/send/bulk?estimate=true", bulk, format="json").status_code == 200
        counts.append(len(queries))
    assert counts[0] >= counts[1]
