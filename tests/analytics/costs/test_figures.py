"""Costs: charges and the cards that were in force."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.costs.figures import CostQuestion, Figure, breakdown, figures, total
from analytics.models import Charge, Day, RateCard
from analytics.rollups import request_days
from analytics.rollups import sweep as sweeping
from analytics.rollups.days import sum_day
from analytics.rollups.markets import market_of
from messaging.accepting.sending_numbers import sending_number
from messaging.models import BusinessNumber, Message
from tests.analytics.costs.factories import DECEMBER, LIST, NOVEMBER, TIERS, card, charge, cost, delivered, november
from tests.analytics.costs.random_examples import examples
from tests.analytics.rollups.factories import count_again, outbound, settle

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps follow each other at once."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


def test_a_month_by_hand_costs_what_it_costs_to_the_cent() -> None:
    prices = card(LIST + "Germany,USD,0.1365,0.0550,0.0768,0.0100\nIndia,USD,0.0118,0.0014,n/a,n/a\n")
    charge(NOON, 1000, "marketing")  # 136.50
    charge(NOON + timedelta(days=1), 333, "utility")  # 18.315
    charge(NOON, 7, "authentication")  # 0.5376
    charge(NOON, 7, "service", price_type="free_customer_service")
    charge(NOON, 3, "service")  # 0.03
    charge(NOON, 5000, "marketing", market="India")  # 59.00
    charge(NOON, 11, "authentication", market="India")  # no price
    charge(NOON, 4, "referral_conversion", price_type="free_entry_point")
    charge(NOON, 2, "", price_type="")  # not said by Meta
    charge(DECEMBER, 100, "marketing")
    charge(NOVEMBER - timedelta(minutes=15), 100, "marketing")
    (figure,) = november()
    assert figure == Figure(0, (), 6367, 6343, 11, Decimal("214.3826"), (prices.pk,))
    assert figure.unpriced == 13


def test_without_a_card_everything_is_unpriced_and_nothing_is_zero() -> None:
    charge(NOON, 5)
    (figure,) = november()
    assert (figure.charged, figure.unpriced, figure.cards) == (0, 5, ())


def test_a_price_changes_at_midnight_in_the_time_zone_of_the_account(settings: pytest.FixtureRequest) -> None:
    number = sending_number()
    BusinessNumber.objects.filter(pk=number.pk).update(waba_id="77")
    settings.ACCOUNT_TIME_ZONES = {"77": BERLIN}  # type: ignore[attr-defined]
    card(LIST + "Germany,USD,1,,,\n")
    card(LIST + "Germany,USD,3,,,\n", "2026-11-10")
    midnight = datetime(2026, 11, 10, tzinfo=BERLIN)
    delivered(midnight - timedelta(seconds=1))
    delivered(midnight)
    settle()
    assert [one.cost for one in _days(midnight)] == [1, 3]


def _days(midnight: datetime) -> list[Figure]:
    return figures(CostQuestion([midnight - timedelta(days=1), midnight], midnight + timedelta(days=1), "USD"))


def test_a_message_costs_the_price_of_the_day_on_which_it_is_delivered() -> None:
    card(LIST + "Germany,USD,1,,,\n")
    card(LIST + "Germany,USD,3,,,\n", "2026-11-21")
    row = delivered(NOON)
    row.events.filter(status="delivered").update(at=NOON + timedelta(days=1))
    settle()
    assert cost() == 3


def test_a_market_that_a_new_card_leaves_out_has_no_price() -> None:
    card(LIST + "Germany,USD,1,,,\nFrance,USD,1,,,\n")
    card(LIST + "France,USD,1,,,\n", "2026-11-10")
    charge(NOON)
    assert november()[0].unpriced == 1


def test_a_card_that_is_imported_again_changes_the_figures_that_it_made() -> None:
    card(LIST + "Germany,USD,1,,,\n")
    charge(NOON, 2)
    assert cost() == 2
    card(LIST + "Germany,USD,1.5,,,\n")
    assert cost() == 3
    assert RateCard.objects.count() == 1


CENTRAL = "Rest of Central & Eastern Europe"


def test_a_market_that_has_left_its_region_costs_the_regions_price_on_a_card_from_before() -> None:
    card(LIST + f"{CENTRAL},USD,1,1,,\n")
    card(LIST + f"{CENTRAL},USD,2,2,,\nPoland,USD,5,,,\n", "2026-11-10")
    charge(NOVEMBER, market="Poland")
    charge(NOON, market="Poland")
    charge(NOON, market="Ukraine")
    charge(NOON, market="Poland", category="utility")
    found = {str(one.group[0]): (one.cost, one.unpriced) for one in november("market")}
    assert found == {"Poland": (Decimal(6), 1), "Ukraine": (Decimal(2), 0)}


def test_prices_by_volume_of_a_region_are_not_those_of_a_market_with_a_row_of_its_own() -> None:
    card(LIST + f"{CENTRAL},USD,,9,,\nPoland,USD,,5,,\n")
    card(TIERS + f"{CENTRAL},USD,Utility,1,-,3\n")
    charge(NOON, market="Poland", category="utility")
    charge(NOON, market="Ukraine", category="utility")
    assert {one.group[0]: one.cost for one in november("market")} == {"Poland": 5, "Ukraine": 3}


def test_costs_of_one_reading_are_those_of_a_question_for_each_group() -> None:
    card(TIERS + 'Germany,USD,Utility,1,"1,000",0.10\nGermany,USD,Utility,"1,001",-,0.05\n')
    for n in range(40):
        charge(NOVEMBER + timedelta(hours=n), 67, "utility", campaign=f"c{n % 3}", template=f"t{n % 7}")
    names = ["campaign", "template", "market"]
    found = breakdown(CostQuestion([NOVEMBER], DECEMBER, "USD", names))
    assert found == {name: november(name) for name in names}


def test_a_card_in_another_currency_prices_nothing() -> None:
    card(LIST + "Germany,EUR,1,,,\n", currency="EUR")
    charge(NOON)
    assert november()[0].unpriced == 1


TWO_TIERS = TIERS + 'Germany,USD,Utility,1,"1,000",0.10\nGermany,USD,Utility,"1,001",-,0.05\n'


def test_a_volume_tier_begins_with_the_message_after_its_border() -> None:
    card(TWO_TIERS)
    charge(NOVEMBER, 999, "utility")
    charge(NOON, 3, "utility")
    assert cost() == Decimal("100.10")
    assert november()[0].messages == 1002


def test_volume_counts_from_the_beginning_of_the_month_for_any_period() -> None:
    card(TWO_TIERS)
    charge(NOVEMBER, 1000, "utility")
    charge(NOON, 10, "utility")
    (figure,) = figures(CostQuestion([NOON], DECEMBER, "USD"))
    assert (figure.messages, figure.cost) == (10, Decimal("0.50"))


def test_volume_begins_anew_with_each_month() -> None:
    card(TWO_TIERS)
    charge(NOVEMBER - timedelta(minutes=15), 5000, "utility")
    charge(NOVEMBER, 10, "utility")
    assert cost() == 1


def test_volume_of_all_numbers_of_a_portfolio_counts_together_and_others_do_not() -> None:
    card(TWO_TIERS)
    one, two, other = (
        BusinessNumber.objects.create(phone_number_id=f"9{n}", waba_id=f"8{n}", portfolio=portfolio).pk
        for n, portfolio in enumerate(["acme", "acme", "other"])
    )
    charge(NOVEMBER, 1000, "utility", number_id=one)
    charge(NOON, 1, "utility", number_id=two)
    charge(NOON, 1, "utility", number_id=other)
    costs = {figure.group[0]: figure.cost for figure in november("number_id")}
    assert costs == {one: 100, two: Decimal("0.05"), other: Decimal("0.10")}


def test_volume_of_other_campaigns_counts_though_only_one_is_asked_for() -> None:
    card(TWO_TIERS)
    charge(NOVEMBER, 1000, "utility", campaign="big")
    charge(NOON, 1, "utility", campaign="small")
    assert [one.cost for one in november(campaign=["small"])] == [Decimal("0.05")]


def test_prices_by_volume_take_the_place_of_the_list_until_the_next_list() -> None:
    card(LIST + "Germany,USD,9,9,9,9\n")
    card(TWO_TIERS, "2026-11-05")
    card(LIST + "Germany,USD,7,7,7,7\n", "2026-11-25")
    charge(NOVEMBER, 1, "utility")
    charge(NOON, 1, "utility")
    charge(NOON + timedelta(days=10), 1, "utility")
    assert cost() == Decimal("16.10")


def test_costs_by_group_add_up_to_the_costs_of_all() -> None:
    card(TWO_TIERS)
    for n in range(40):
        charge(NOVEMBER + timedelta(hours=n), 67, "utility", campaign=f"c{n % 3}", template=f"t{n % 7}")
    assert cost("campaign") == cost("template", "campaign") == cost("market") == cost()


@pytest.mark.parametrize(
    ("peer", "market"),
    [
        ("14155550100", "North America"), ("16045550100", "North America"), ("18095550100", "Rest of Latin America"),
        ("18765550100", "Rest of Latin America"), ("17875550100", "Rest of Latin America"), ("12465550100", "Other"),
        ("4915112345678", "Germany"), ("79161234567", "Russia"), ("77011234567", "Kazakhstan"),
        ("KZ.134", "Kazakhstan"), ("RU.134", "Russia"), ("48501234567", "Poland"), ("PL.134", "Poland"),
        ("235612345678", "Rest of Africa"), ("212612345678", "Morocco"), ("9647712345678", "Iraq"),
        ("447911123456", "United Kingdom"), ("447781123456", "United Kingdom"), ("254712345678", "Rest of Africa"),
        ("85291234567", "Hong Kong"), ("66812345678", "Rest of Asia Pacific"),
        ("380501234567", "Ukraine"), ("420601234567", "Rest of Central & Eastern Europe"),
        ("97433123456", "Qatar"), ("97331234567", "Rest of Middle East"),
        ("41781234567", "Rest of Western Europe"), ("35677123456", "Other"),
        ("US.13491208655302741918", "North America"), ("DO.134", "Rest of Latin America"), ("BB.134", "Other"),
        ("DE.134", "Germany"), ("GG.134", "United Kingdom"), ("99900", "Other"),
    ],
)  # fmt: skip
def test_a_market_follows_from_the_number_in_python_and_in_sql(peer: str, market: str) -> None:
    delivered(NOON, peer)
    settle()
    assert (market_of(peer), Charge.objects.get().market) == (market, market)


sends = st.tuples(
    st.integers(0, 4000),
    st.integers(0, 4000),
    st.sampled_from(["4915112345678", "14155550100", "18095550100", "99900"]),
    st.sampled_from(["marketing", "utility", "authentication-international", None]),
    st.sampled_from(["regular", "free_entry_point"]),
    st.sampled_from(["delivered", "read", "sent", "failed"]),
)


@pytest.mark.slow("prices random charges")
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[*HealthCheck])
@given(st.lists(sends, max_size=8))
def test_charges_equal_a_recount_message_by_message(stream: list[tuple[int, int, str, str | None, str, str]]) -> None:
    with transaction.atomic():
        expected: dict[tuple[datetime, str, str, str], int] = {}
        for offset, delay, peer, category, kind, status in stream:
            at = NOON + timedelta(seconds=offset)
            then = at + timedelta(seconds=delay)
            row = delivered(at, peer, category, **{"pricing_type": kind} if category else {})
            row.events.filter(status="delivered").update(status=status, at=then)
            Message.objects.filter(pk=row.pk).update(status=status)
            if status in {"delivered", "read"}:
                start = then - timedelta(minutes=then.minute % 15, seconds=then.second, microseconds=then.microsecond)
                key = (start, market_of(peer), (category or "").replace("-", "_"), kind if category else "")
                expected[key] = expected.get(key, 0) + 1
        settle()
        found: dict[tuple[datetime, str, str, str], int] = {}
        for one in Charge.objects.all():
            key = (one.at, one.market, one.category, one.price_type)
            found[key] = found.get(key, 0) + one.messages
        assert found == expected
        transaction.set_rollback(True)


@pytest.mark.slow("sums up the days of a week twice")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
@pytest.mark.parametrize("group_by", [(), ("campaign",), ("market", "category")])
def test_days_that_are_summed_up_cost_what_their_charges_cost(zone: str, group_by: tuple[str, ...]) -> None:
    card(LIST + "Germany,USD,0.10,0.05,0.05,0\n")
    card(LIST + "Germany,USD,0.30,0.05,0.05,0\n", valid_from="2026-11-19")
    for hours in range(0, 96, 5):
        delivered(
            NOON - timedelta(days=4) + timedelta(hours=hours), f"49151123456{hours:02d}", campaign=f"c{hours % 2}"
        )
    settle()
    local = [datetime(2026, 11, day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in range(15, 22)]
    daily = CostQuestion(local[:-1], local[-1], "USD", group_by, zone=ZoneInfo(zone))
    whole = CostQuestion(local[:1], local[-1], "USD", group_by, zone=ZoneInfo(zone))
    before = figures(daily), figures(whole)
    request_days(local)
    # The second round sums up what questions read once days are summed up: parts of the day on which a price changes.
    for _ in range(2):
        Day.objects.update(due_at=NOON - timedelta(days=9))
        while sum_day():
            pass
        assert (figures(daily), figures(whole)) == before
    assert Day.objects.filter(start__in=local, dirty_since=None).count() >= 4
    Charge.objects.all().delete()
    assert (figures(daily), figures(whole)) == before


@pytest.mark.slow("sums up the days of a week twice")
def test_a_month_of_the_account_that_begins_within_a_day_of_the_zone_that_asks_is_summed_up() -> None:
    card(TWO_TIERS)
    for hours in range(-60, 60, 3):
        delivered(NOVEMBER + timedelta(hours=hours), f"4915112345{hours + 100:03d}", "utility")
    settle()
    kolkata = ZoneInfo("Asia/Kolkata")
    local = [datetime(2026, 10, day, tzinfo=kolkata).astimezone(UTC) for day in range(29, 32)]
    question = CostQuestion(local[:1], local[0] + timedelta(days=6), "USD", zone=kolkata)
    before = figures(question)
    for _ in range(2):
        request_days([local[0] + timedelta(days=n) for n in range(6)])
        while sum_day():
            pass
        assert figures(question) == before
    parts = Day.objects.filter(dirty_since=None, minutes__lt=1440).order_by("start").values_list("minutes", flat=True)
    assert list(parts) == [330, 1110]
    count_again()
    assert figures(question) == before


def test_a_late_status_makes_the_day_of_its_charge_dirty() -> None:
    message = delivered(NOON - timedelta(days=4), "4915112345678")
    outbound(NOON - timedelta(days=2))
    settle()
    Day.objects.update(due_at=NOON - timedelta(days=9))
    while sum_day():
        pass
    message.events.filter(status="delivered").update(at=NOON - timedelta(days=2))
    count_again()
    assert [day.start.day for day in Day.objects.filter(dirty_since__isnull=False).order_by("start")] == [16, 18]


def test_a_total_is_the_sum_of_its_figures() -> None:
    found = [Figure(1, ("a",), 3, 2, 1, Decimal("0.5"), (2, 7)), Figure(2, ("b",), 5, 1, 1, Decimal("0.25"), (1, 2))]
    assert total(found) == Figure(0, (), 8, 3, 2, Decimal("0.75"), (1, 2, 7))
    assert total([]) == Figure(0, (), 0, 0, 0, Decimal(0), ())
