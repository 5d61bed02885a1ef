"""Estimates of what a send will cost."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.costs.accounts import Account, billed_accounts
from analytics.costs.cards import CardRow, Price, in_force
from analytics.costs.estimates import (
    Estimate,
    Free,
    Planned,
    Pricer,
    _answer,
    _categories,
    _category,
    _entry_points,
    _pricer,
    estimate,
)
from analytics.models import Layout
from messaging.accepting.sending_numbers import sending_number
from messaging.models import BusinessNumber, IdempotencyKey, Message, TemplateCategory
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


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({}, 1),
        ({"market": "India"}, None),
        ({"category": "marketing"}, None),
        ({"day": date(2026, 9, 30)}, None),
        ({"day": OCTOBER}, 1),
        ({"day": date(2026, 11, 30)}, 1),
        ({"day": date(2026, 12, 1)}, None),
    ],
    ids=str,
)
def test_a_price_is_that_of_its_market_category_and_days(fields: dict[str, Any], price: int | None) -> None:
    one = Price("Germany", "utility", OCTOBER, date(2026, 12, 1), 0, None, Decimal(1), 7)
    given = {"account": ACCOUNT, "market": "Germany", "category": "utility", "day": DAY, **fields}
    found = Pricer([one], 0, OCTOBER).price(Planned(**given))
    assert (found.price, found.card, found.free) == (price, price and 7, None)


def test_free_messages_cost_nothing_by_no_card_and_count_for_no_tier() -> None:
    pricer = Pricer([], 1, OCTOBER)
    found = [pricer.price(message("service")), pricer.price(message(entry_point=True))]
    assert [(one.price, one.card) for one in found] == [(Decimal(0), None), (Decimal(0), None)]
    assert (pricer.volumes.total(), pricer.service) == (0, Counter({(1, NOVEMBER): 1}))


def test_the_first_day_of_the_free_tier_counts_its_messages() -> None:
    assert Pricer([], 0, OCTOBER).price(message("service", OCTOBER)).free is None


def test_each_charged_message_counts_in_its_portfolio_month_market_and_category() -> None:
    pricer = Pricer([], 0, OCTOBER)
    for _ in range(3):
        pricer.price(message())
    assert pricer.volumes == Counter({("account 222", NOVEMBER, "Germany", "utility"): 3})


def test_a_pricer_knows_the_charges_of_the_months_of_its_messages(settings: Any) -> None:
    settings.ACCOUNT_TIME_ZONES = {"7": ZoneInfo("Asia/Kolkata")}
    settings.FREE_SERVICE_MESSAGES, settings.FREE_SERVICE_MESSAGES_SINCE = 5, OCTOBER
    one, two, other = (
        BusinessNumber.objects.create(phone_number_id=key, waba_id=waba_id, portfolio=portfolio).pk
        for key, waba_id, portfolio in (("1", "7", "acme"), ("2", "7", "acme"), ("3", "8", "acme"))
    )
    begin, end = (datetime(2026, month, 31 - (month == 11), 18, 30, tzinfo=UTC) for month in (10, 11))
    quarter = timedelta(minutes=15)
    charge(begin - quarter, 1, "utility", number_id=one)
    charge(begin, 2, "utility", number_id=one)
    charge(begin + quarter, 4, "utility", number_id=two)
    charge(end - quarter, 8, "service", number_id=one)
    charge(begin, 16, "service", number_id=one, price_type="free_customer_service")
    charge(begin, 32, "service", number_id=one, price_type="free_entry_point")
    charge(begin, 64, "utility", number_id=one, price_type="free_entry_point")
    charge(end, 128, "utility", number_id=one)
    # The other account's month begins and ends later: at midnight in UTC.
    charge(begin + quarter, 256, "utility", number_id=other)
    charge(end, 512, "utility", number_id=other)
    account = next(row for row in billed_accounts() if row.number_id == one)
    found = _pricer([], [Planned(account, "Germany", "utility", DAY), Planned(account, "India", "service", DAY)])
    assert (found.service, found.volumes, found.free_service, found.free_service_since) == (
        Counter({(one, NOVEMBER): 24}),
        Counter({("portfolio acme", NOVEMBER, "Germany", "utility"): 518,
                 ("portfolio acme", NOVEMBER, "Germany", "service"): 8}),
        5, OCTOBER,
    )  # fmt: skip


def test_the_category_of_a_template_is_that_of_its_account_else_of_all() -> None:
    sender = BusinessNumber.objects.create(phone_number_id="1", waba_id="7")
    for name, waba_id, category in (
        ("offer", "7", "Marketing"), ("offer", "", "utility"), ("code", "", "authentication-international"),
        ("bill", "8", "utility"),
    ):  # fmt: skip
        TemplateCategory.objects.create(name=name, waba_id=waba_id, category=category)
    rows = [Message(number=sender, type="template", template=name) for name in ("offer", "code", "bill")]
    rows.append(Message(number=sender, type="text", template="offer"))
    categories = _categories(rows)
    assert [_category(row, categories) for row in rows] == [
        "marketing", "authentication_international", "", "service",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "is_free"),
    [
        ({"raw": {"referral": {}}}, True),
        ({"raw": {"text": {}}}, False),
        ({"raw": {"referral": {}}, "direction": "outbound"}, False),
        ({"pricing_type": "free_entry_point", "direction": "outbound"}, True),
        ({"pricing_type": "free_entry_point"}, False),
        ({"pricing_type": "regular", "direction": "outbound"}, False),
        ({"raw": {"referral": {}}, "hours": 73}, False),
        ({"raw": {"referral": {}}, "hours": 71}, True),
        ({"raw": {"referral": {}}, "peer": "4915199999999"}, False),
    ],
    ids=str,
)
def test_a_free_entry_point_is_an_ad_or_metas_bill_of_the_last_72_hours(facts: dict[str, Any], is_free: bool) -> None:
    sender = sending_number()
    at = timezone.now() - timedelta(hours=facts.pop("hours", 1))
    given = {"direction": "inbound", "peer": PEER, "type": "text", "status": "received", "at": at, **facts}
    Message.objects.create(number=sender, **given)
    assert _entry_points([Message(number=sender, peer=PEER)]) == ({(sender.pk, PEER)} if is_free else set())


def test_a_message_costs_the_price_of_its_day_in_the_time_zone_of_its_account(settings: Any) -> None:
    settings.ACCOUNT_TIME_ZONES = {"7": ZoneInfo("Asia/Kolkata")}
    for price, day in (("1", "2026-10-01"), ("3", "2026-12-01")):
        card(LIST + f"Germany,USD,{price},,,\n", day)
    sender = BusinessNumber.objects.create(phone_number_id="1", waba_id="7")
    TemplateCategory.objects.create(name="offer", category="marketing")
    midnight = datetime(2026, 11, 30, 18, 30, tzinfo=UTC)
    rows = [
        Message(
            number=sender, peer=PEER, type="template", template="offer", due_at=midnight + timedelta(minutes=minutes)
        )
        for minutes in (-1, 0)
    ]
    assert [one["price"] for one in estimate(rows)["messages"]] == ["1.00", "3.00"]


def test_an_estimate_adds_up_its_prices_and_names_each_card_once() -> None:
    first, second = (card(LIST + "Germany,USD,1,,,\n", day) for day in ("2026-10-01", "2026-11-01"))
    planned = [message()] * 4
    free = _answer(planned[:1], [Estimate(Decimal(0), free=Free.ENTRY_POINT)], "USD")
    assert (free["total"], free["charged"], free["free"], free["unpriced"], free["cards"]) == ("0.00", 0, 1, 0, [])
    assert _answer(planned[:1], [Estimate(None)], "USD")["total"] is None
    costs = [Estimate(Decimal("0.5"), card) for card in (second.pk, first.pk, second.pk)]
    found = _answer(planned, [*costs, Estimate(None)], "EUR")
    assert (found["total"], found["charged"], found["free"], found["unpriced"], found["currency"]) == (
        *("1.50", 3, 0, 1, "EUR"),
    )
    assert found["cards"] == [f"{row} from {row.valid_from}" for row in (first, second)]


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
