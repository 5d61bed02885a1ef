"""Money as text, and rows of figures with names."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.costs.answers import blank_row, cards_of, columns_of, money, row_of, rows_of
from analytics.costs.figures import Figure
from analytics.models import RateCard
from tests.analytics.costs.factories import LIST, card

FIRST, SECOND = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
NOTHING = {"messages": 0, "charged": 0, "free": 0, "unpriced": 0, "cost": "0.00", "cards": ""}


def figure(messages: int, *group: Any, step: int = 0, cost: str = "0", cards: tuple[int, ...] = ()) -> Figure:
    return Figure(step, group, messages, messages, 0, Decimal(cost), cards)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"), ("12.5", "12.50"), ("0.0123", "0.0123"), ("12.5000", "12.50"), ("1E+2", "100.00"),
        ("0E-10", "0.00"), ("100", "100.00"), ("1E-7", "0.0000001"), ("-0.5", "-0.50"),
    ],
)  # fmt: skip
def test_money_has_two_decimal_places_or_as_many_as_it_needs(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("charged", "free", "cost"), [(1, 0, "0.50"), (0, 2, None), (0, 3, "0.50"), (3, 0, "0.50"), (2, 1, "0.50")]
)
def test_messages_without_any_price_have_no_cost(charged: int, free: int, cost: str | None) -> None:
    found = row_of(Figure(0, (), 3, charged, free, Decimal("0.5"), ()), {})
    assert (found["cost"], found["unpriced"]) == (cost, 3 - charged - free)


def test_each_card_is_named_with_its_first_day() -> None:
    cards = {
        key: RateCard(pk=key, name=name, currency="USD", layout="list", valid_from=date(2026, 10, key))
        for key, name in ((1, "One"), (2, "Two"))
    }
    names = "One (USD, list) from 2026-10-01; Two (USD, list) from 2026-10-02"
    assert row_of(figure(1, cards=(1, 2, 3)), cards)["cards"] == names


ROWS = [figure(3, "b"), figure(1, "c"), figure(3, "a"), figure(1, "d"), figure(2, "c", step=1)]


@pytest.mark.parametrize(
    ("limit", "kept"),
    [(1, [("a", 3)]), (2, [("a", 3), ("b", 3)]), (3, [("a", 3), ("b", 3), ("c", 2), ("c", 1)])],
)
def test_the_largest_groups_are_kept_and_come_first(limit: int, kept: list[tuple[str, int]]) -> None:
    rows = rows_of(ROWS, ["campaign"], None, limit, {})
    assert [(row["campaign"], row["messages"]) for row in rows] == kept


def test_each_row_of_a_step_has_the_beginning_of_its_step() -> None:
    rows = rows_of(ROWS, ["campaign"], [FIRST, SECOND], 3, {})
    assert [(row["start"], row["campaign"]) for row in rows] == [
        ("2026-11-01T00:00:00+00:00", "b"),
        ("2026-11-01T00:00:00+00:00", "c"),
        ("2026-11-01T00:00:00+00:00", "a"),
        ("2026-11-02T00:00:00+00:00", "c"),
    ]


def test_groups_of_one_size_come_in_the_order_of_their_names() -> None:
    rows = rows_of([figure(1, "b", "x"), figure(1, "a", "z"), figure(1, "a", "y")], ["market", "campaign"], None, 5, {})
    assert [(row["market"], row["campaign"]) for row in rows] == [("a", "y"), ("a", "z"), ("b", "x")]


def test_a_blank_row_has_the_columns_of_every_row() -> None:
    assert blank_row(["market", "client"], None) == {"market": "", "client": "", **NOTHING}
    assert blank_row([], [FIRST]) == {"start": "2026-11-01T00:00:00+00:00", **NOTHING}
    assert list(blank_row(["market"], [FIRST]))[:2] == ["start", "market"]


def test_dimensions_are_columns_of_charges() -> None:
    assert columns_of(["sender", "client", "market"]) == ["number_id", "client_id", "market"]


@pytest.mark.django_db
def test_the_cards_of_figures_are_those_that_priced_them() -> None:
    stored = [card(LIST + "Germany,USD,1,,,\n", day) for day in ("2026-10-01", "2026-11-01", "2026-12-01")]
    found = cards_of([figure(1, cards=(stored[0].pk,)), figure(1, cards=(stored[0].pk, stored[1].pk))])
    assert found == {row.pk: row for row in stored[:2]}
