"""Quarters, gaps, percentiles, countries."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from analytics.models import Histogram
from analytics.models.rollups import HISTOGRAM_PLACES
from analytics.rollups import countries
from analytics.rollups.countries import country_of
from analytics.rollups.dimension_views import COLUMNS, NOTHING, are_empty, day_view_of, left_out_of, view_of
from analytics.rollups.histogram import BOUNDS, PLACES, percentile, percentiles
from analytics.rollups.quarters import MAX_DELAY_S, MIN_DELAY_S, day_of, hour_of, ids_of, quarter_of, recount_delay_s
from analytics.rollups.storage import DIGEST


@pytest.mark.parametrize(
    ("at", "quarter", "hour"),
    [
        ("2026-11-20T12:00:00", "2026-11-20T12:00:00", "2026-11-20T12:00:00"),
        ("2026-11-20T12:14:59.999999", "2026-11-20T12:00:00", "2026-11-20T12:00:00"),
        ("2026-11-20T12:15:00", "2026-11-20T12:15:00", "2026-11-20T12:00:00"),
        ("2026-11-20T23:59:59", "2026-11-20T23:45:00", "2026-11-20T23:00:00"),
    ],
)
def test_a_time_lies_in_a_quarter_and_an_hour(at: str, quarter: str, hour: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert quarter_of(moment).isoformat()[:19] == quarter
    assert hour_of(moment).isoformat()[:19] == hour


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)))
def test_the_ids_of_two_quarters_meet_without_a_gap(at: datetime) -> None:
    start = quarter_of(at)
    assert ids_of(start)[1] == ids_of(start + timedelta(minutes=15))[0]


@pytest.mark.parametrize(
    ("age", "took", "gap"),
    [
        (0, 5, MIN_DELAY_S),
        (10_000, 0.0001, MIN_DELAY_S),
        (600, 0.05, 50),
        (600, 1.0, 600),
        (3_599, 0.9, 900),
        (3_600, 0.002, 80),
        (3_600, 0.9, 3_600),
        (7 * 86_400, 5.0, MAX_DELAY_S),
    ],
)
def test_a_bucket_rests_longer_the_more_it_costs_and_the_older_it_is(age: float, took: float, gap: float) -> None:
    assert recount_delay_s(age, took) == gap


def test_a_busy_quarter_is_counted_some_dozen_times_in_a_week() -> None:
    age, counts = 60.0, 0
    while age < 86_400:
        age, counts = age + recount_delay_s(age, took_s=2.0), counts + 1
    assert counts <= 15


@pytest.mark.parametrize(
    ("counts", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({0: 4}, 0.5, 0.125),
        ({3: 10}, 0.0, 1.0),
        ({3: 10}, 1.0, 2.0),
        ({3: 5, 5: 5}, 0.5, 2.0),
        ({3: 5, 5: 5}, 0.75, 4.0),
        ({len(BOUNDS): 1}, 0.9, BOUNDS[-1]),
    ],
)
def test_a_percentile_lies_between_its_bounds(counts: dict[int, int], share: float, seconds: float | None) -> None:
    assert percentile(share, counts) == seconds


@given(st.dictionaries(st.integers(0, len(BOUNDS)), st.integers(1, 1000), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_percentiles_rise_with_their_share(counts: dict[int, int], one: float, other: float) -> None:
    low, high = percentile(min(one, other), counts), percentile(max(one, other), counts)
    assert low is not None and high is not None and low <= high


@given(st.dictionaries(st.integers(0, len(BOUNDS)), st.integers(0, 1000)), st.lists(st.floats(0, 1), max_size=5))
def test_several_percentiles_at_once_are_those_one_by_one(counts: dict[int, int], shares: list[float]) -> None:
    assert percentiles(sorted(shares), counts) == [percentile(share, counts) for share in sorted(shares)]


PEERS = {
    "15551230001": "1", "77012345678": "7", "4915112345678": "49", "5511987654321": "55", "353861234567": "353",
    "971501234567": "971", "999123": "", "US.13491208655302741918": "1", "DE.ENT.abc": "49", "XX.abc": "", "": "",
    "0123": "", "120363041234567890": "1", "group-id": "",
}  # fmt: skip


@pytest.mark.parametrize(("peer", "code"), PEERS.items())
def test_a_number_and_a_user_id_have_a_country(peer: str, code: str) -> None:
    assert country_of(peer) == code


@pytest.mark.django_db
def test_the_database_finds_the_same_country() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.peer, {countries.SQL} FROM unnest(%(peers)s) AS m(peer)",  # noqa: S608
            {"peers": list(PEERS), **countries.PARAMETERS},
        )
        assert dict(cursor.fetchall()) == PEERS


@pytest.mark.django_db
def test_dimensions_that_differ_in_where_a_text_ends_have_other_digests() -> None:
    pairs = [("a", "b\n1 c"), ("a\n1 b", "c"), ("ab", "c"), ("a", "bc"), ("", "abc")]
    empty = ", ".join(f"{NOTHING[name]} AS {name}" for name in COLUMNS if name not in {"template", "campaign"})
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(DISTINCT {DIGEST}) FROM (SELECT template, campaign, {empty} "  # noqa: S608 - constants
            "FROM unnest(%s, %s) AS t(template, campaign)) AS dims",
            [[one for one, _ in pairs], [other for _, other in pairs]],
        )
        assert cursor.fetchall() == [(len(pairs),)]


@pytest.mark.parametrize(
    ("columns", "view"),
    [
        ([], 1),
        (["client_id", "direction", "number_id"], 1),
        (["template"], 2),
        (["campaign", "number_id"], 3),
        (["country"], 4),
        (["category"], 5),
        (["error_code"], 6),
        (["template", "country"], 0),
        (["campaign", "status"], 0),
    ],
)
def test_a_question_reads_the_smallest_view_that_has_its_columns(columns: list[str], view: int) -> None:
    assert view_of(columns) == view


@pytest.mark.parametrize(
    ("columns", "view"),
    [
        (["template"], 2),
        (["template", "country"], 7),
        (["campaign", "status"], 8),
        (["category", "type", "template"], 7),
        (["country", "status"], 0),
    ],
)
def test_a_question_about_days_reads_the_smallest_view_that_days_have(columns: list[str], view: int) -> None:
    assert day_view_of(columns) == view


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        (0, set()),
        (4, {"type", "template", "campaign", "category", "price_type", "status", "error_code"}),
        (6, {"type", "template", "campaign", "country", "category", "price_type"}),
    ],
)
def test_a_view_leaves_out_the_other_columns(view: int, columns: set[str]) -> None:
    assert left_out_of(view) == columns


@pytest.mark.parametrize(
    ("columns", "condition"),
    [(["template", "error_code"], "TRUE AND d.error_code = 0 AND d.template = ''"), ([], "TRUE")],
)
def test_columns_are_empty_where_their_values_are_nothing(columns: list[str], condition: str) -> None:
    assert are_empty(columns, "d").replace(" and ", " AND ").replace("true", "TRUE") == condition


@pytest.mark.parametrize("at", ["2026-11-20T00:00:00", "2026-11-20T12:34:56.789", "2026-11-20T23:59:59.999999"])
def test_a_time_lies_in_a_day(at: str) -> None:
    assert day_of(datetime.fromisoformat(at).replace(tzinfo=UTC)) == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_histogram_has_a_column_for_each_place() -> None:
    assert HISTOGRAM_PLACES == PLACES
    assert [field.name for field in Histogram._meta.concrete_fields][-PLACES:] == [f"p{n}" for n in range(PLACES)]
