"""`GET /analytics/costs`."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from analytics.costs.api import CostRowSerializer, CostsQuery
from analytics.costs.dimensions import DIMENSIONS, CostDimension
from analytics.models import Bucket, Day
from messaging.models import ApiClient, ApiKey
from tests.analytics.costs.factories import LIST, NOVEMBER, card, charge

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PERIOD = {"since": "2026-11-01", "until": "2026-12-01"}


@pytest.fixture
def operator() -> APIClient:
    """Sees everybody's costs."""
    client = APIClient()
    key = ApiKey.issue(ApiClient.objects.create(name="boss", operator=True))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def ask(client: APIClient, **query: Any) -> Any:
    answer = client.get("/analytics/costs", {**PERIOD, **query})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_costs_come_with_what_is_free_what_has_no_price_and_the_card(operator: APIClient) -> None:
    card(LIST + "Germany,USD,0.1365,,,\n")
    charge(NOON, 10)
    charge(NOON, 2, "utility")
    charge(NOON, 3, "service", price_type="free_customer_service")
    assert ask(operator)["total"] == {
        "messages": 15, "charged": 10, "free": 3, "unpriced": 2, "cost": "1.365",
        "cards": "Test (USD, list) from 2026-10-01",
    }  # fmt: skip


def test_the_cost_of_what_has_no_price_is_null(operator: APIClient) -> None:
    charge(NOON)
    assert ask(operator, group_by="market")["rows"][0]["cost"] is None


def test_groups_come_by_name_the_largest_first(operator: APIClient) -> None:
    card(LIST + "Germany,USD,1,,,\n")
    charge(NOON, 1, campaign="small")
    charge(NOON, 5, campaign="large")
    found = ask(operator, group_by="campaign,sender,client")["rows"]
    assert [(row["campaign"], row["cost"], row["client"]) for row in found] == [
        ("large", "5.00", ""),
        ("small", "1.00", ""),
    ]


def test_steps_are_days_of_the_time_zone(operator: APIClient) -> None:
    card(LIST + "Germany,USD,1,,,\n")
    charge(datetime(2026, 11, 19, 23, 30, tzinfo=UTC))
    rows = ask(operator, granularity="day", timezone="Europe/Berlin")["rows"]
    assert [row["start"] for row in rows] == ["2026-11-20T00:00:00+01:00"]


def test_an_answer_says_which_period_and_currency_it_is_of(operator: APIClient, settings: Any) -> None:
    settings.TIME_ZONE, settings.COSTS_CURRENCY = "Europe/Berlin", "EUR"
    card("Market,Currency,Marketing\nGermany,EUR,2\n", currency="EUR")
    charge(NOON)
    found = ask(operator)
    total = {"messages": 1, "charged": 1, "free": 0, "unpriced": 0, "cost": "2.00"}
    cards = "Test (EUR, list) from 2026-10-01"
    assert found == {
        "since": "2026-11-01T00:00:00+01:00", "until": "2026-12-01T00:00:00+01:00", "timezone": "Europe/Berlin",
        "currency": "EUR", "total": {**total, "cards": cards}, "rows": [{**total, "cards": cards}],
    }  # fmt: skip
    assert ask(operator, currency="USD")["total"]["cost"] is None


def test_at_most_the_largest_groups_are_listed(operator: APIClient) -> None:
    for n in range(101):
        charge(NOON, n + 1, campaign=f"c{n:03}")
    found = [ask(operator, group_by="campaign", **query)["rows"] for query in ({}, {"limit": 2})]
    assert [len(rows) for rows in found] == [100, 2]
    assert [row["campaign"] for row in found[1]] == ["c100", "c099"]


def test_a_question_by_day_requests_the_sums_of_its_days(operator: APIClient) -> None:
    october = [datetime(2026, 10, day, 12, tzinfo=UTC) for day in range(23, 28)]
    Bucket.objects.bulk_create(Bucket(start=at, due_at=at) for at in october)
    period = {"since": "2026-10-23", "until": "2026-10-28", "granularity": "day", "timezone": "Europe/Berlin"}
    ask(operator, **period)
    days = Day.objects.order_by("start").values_list("start", "minutes")
    assert [(at.day, at.hour, minutes) for at, minutes in days] == [
        (22, 22, 1440), (23, 22, 1440), (24, 22, 1500), (25, 23, 1440), (26, 23, 1440),
    ]  # fmt: skip


@pytest.mark.parametrize("dimension", DIMENSIONS.values(), ids=DIMENSIONS)
def test_a_filter_has_the_length_of_its_column_and_is_described(dimension: CostDimension) -> None:
    asked, answered = CostsQuery().get_fields()[dimension.name], CostRowSerializer().get_fields()[dimension.name]
    assert (asked.max_length, asked.required, asked.help_text) == (dimension.max_length, False, dimension.help)
    assert (answered.required, answered.help_text) == (False, dimension.help)


def test_a_table_without_rows_has_its_columns(operator: APIClient) -> None:
    answers = [
        operator.get("/analytics/costs", {**PERIOD, "group_by": "market", "format": "csv", **query}).content.decode(
            "utf-8-sig"
        )
        for query in ({}, {"granularity": "day"})
    ]
    assert [answer.strip() for answer in answers] == [
        "market,messages,charged,free,unpriced,cost,cards",
        "start,market,messages,charged,free,unpriced,cost,cards",
    ]


def test_costs_come_as_csv(operator: APIClient) -> None:
    card(LIST + "Germany,USD,1,,,\n")
    charge(NOON)
    answer = operator.get("/analytics/costs", {**PERIOD, "group_by": "market", "format": "csv"})
    assert answer.content.decode().splitlines()[1].startswith("Germany,1,1,0,0,1.00,")


def test_a_key_sees_the_costs_of_its_own_client_only(api: APIClient) -> None:
    card(LIST + "Germany,USD,1,,,\n")
    charge(NOON, 5, client_id=ApiClient.objects.get(name="shop").pk)
    charge(NOON, 50, client_id=0)
    assert ask(api)["total"]["messages"] == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"group_by": "status"}, "group_by"),
        ({"group_by": "market,market"}, "group_by"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "US$"}, "currency"),
        ({"currency": "US"}, "currency"),
        ({"currency": "USDX"}, "currency"),
        ({"currency": "ÜSD"}, "currency"),
        ({"campaign": "c" * 101}, "campaign"),
        ({"granularity": "year"}, "granularity"),
        ({"timezone": "Mars"}, "timezone"),
        ({"client": "other"}, "client"),
        ({"status": "sent"}, "status"),
        ({"since": "2026-12-01"}, "until"),
        ({"limit": "0"}, "limit"),
        ({"format": "xml"}, "format"),
    ],
)
def test_a_wrong_parameter_is_named(api: APIClient, query: dict[str, str], field: str) -> None:
    answer = api.get("/analytics/costs", {**PERIOD, **query})
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_refused_parameter_says_why(api: APIClient) -> None:
    asked: list[dict[str, str]] = [{"client": "x"}, {"timezone": "Mars"}]
    answers = [api.get("/analytics/costs", {**PERIOD, **query}).json() for query in asked]
    assert answers[0] == {"client": ["Your key sees the costs of its own client only."]}
    ((why,),) = answers[1].values()
    assert "zone" in why


def test_filters_leave_out_the_others(operator: APIClient) -> None:
    charge(NOON, 5, "authentication_international", campaign="a")
    charge(NOVEMBER, 7, campaign="b")
    assert ask(operator, category="authentication-international")["total"]["messages"] == 5
    assert ask(operator, campaign="b")["total"]["messages"] == 7
    assert ask(operator, sender="123")["total"]["messages"] == 0


def test_free_messages_beside_unpriced_ones_make_no_cost_of_zero(operator: APIClient) -> None:
    charge(NOON)
    charge(NOON, 3, "service", price_type="free_customer_service")
    assert ask(operator)["total"]["cost"] is None
