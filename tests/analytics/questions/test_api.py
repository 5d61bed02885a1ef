"""The questions over HTTP, asked of messages that are counted as the worker counts them."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from django.db import connection as django_connection
from rest_framework.test import APIClient

from analytics.models import Bucket, Day, Rollup
from analytics.questions import Granularity, Question, busiest, period_of
from analytics.questions.answers import overview
from analytics.rollups import days
from analytics.rollups.days import sum_day
from messaging.models import ApiClient, ApiKey, BusinessNumber, MessageEvent
from tests.analytics.rollups.factories import NOON, count_again, inbound, outbound
from tests.tables.kept_rows import fill

pytestmark = pytest.mark.django_db
WEEK = {"since": "2026-11-16", "until": "2026-11-23"}
QUESTIONS = ("summary", "timeseries", "funnel", "errors", "templates", "campaigns", "conversations")


def caller(client: ApiClient) -> APIClient:
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiKey.issue(client)[1]}")
    return caller


@pytest.fixture
def operator(db: None) -> APIClient:
    return caller(ApiClient.objects.create(name="operator", operator=True))


@pytest.fixture
def history(db: None) -> None:
    """A welcome that was read and answered, one that failed, another client's, and a question that we answered."""
    fill(make_history)


def make_history() -> None:
    shop = ApiClient.objects.create(name="shop")
    sale = {"template": "welcome", "campaign": "sale", "type": "template", "client": shop}
    outbound(NOON, "4915112345678", status="read", wamid="a", **sale)
    outbound(NOON + timedelta(hours=1), "4915112345679", status="failed", error_code=131026, **sale)
    outbound(NOON - timedelta(days=2), "15551230009", status="delivered", wamid="b", template="bill")
    inbound(NOON + timedelta(minutes=5), "4915112345678")
    outbound(NOON + timedelta(minutes=6), "4915112345678", status="sent", wamid="c")
    count_again()


@pytest.fixture
def shop(history: None) -> ApiClient:
    """The client whose campaign it was."""
    return ApiClient.objects.get(name="shop")


def rows(caller: APIClient, question: str, **query: Any) -> list[dict[str, Any]]:
    answer = caller.get(f"/analytics/{question}", {**WEEK, **query})
    assert answer.status_code == 200, answer.content
    return list(answer.json()["rows"])


def test_the_summary_counts_with_denominators(operator: APIClient, history: None) -> None:
    (row,) = rows(operator, "summary")
    assert [row[name] for name in ("messages", "inbound", "outbound", "accepted", "failed")] == [5, 1, 4, 3, 1]
    assert row["rates"]["failed"] == {"share": 0.25, "count": 1, "of": 4}
    assert row["rates"]["read"] == {"share": 0.5, "count": 1, "of": 2}


def test_groups_are_named_and_the_largest_comes_first(operator: APIClient, history: None) -> None:
    found = rows(operator, "summary", group_by="country,direction")
    assert [(row["country"], row["direction"], row["messages"]) for row in found] == [
        ("49", "outbound", 3), ("1", "outbound", 1), ("49", "inbound", 1),
    ]  # fmt: skip


def test_numbers_and_clients_are_asked_for_and_answered_by_name(operator: APIClient, history: None) -> None:
    sender = BusinessNumber.objects.get().phone_number_id
    found = rows(operator, "summary", group_by="sender,client", sender=sender)
    assert [(row["sender"], row["client"], row["messages"]) for row in found] == [(sender, "", 3), (sender, "shop", 2)]
    assert rows(operator, "summary", sender="0")[0]["messages"] == 0


def test_every_step_is_there_with_its_local_time(operator: APIClient, history: None) -> None:
    found = rows(operator, "timeseries", timezone="Asia/Kolkata")
    assert [(row["start"], row["messages"]) for row in found] == [
        (f"2026-11-{day}T00:00:00+05:30", {18: 1, 20: 4}.get(day, 0)) for day in range(16, 23)
    ]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("granularity", ["15m", "hour", "day", "week", "month"])
def test_steps_add_up_to_the_summary(operator: APIClient, history: None, zone: str, granularity: str) -> None:
    query = {"timezone": zone, "granularity": granularity}
    assert sum(row["messages"] for row in rows(operator, "timeseries", **query)) == 5


@pytest.mark.parametrize("dirty", [True, False])
def test_a_day_is_read_from_its_own_sums_or_from_its_hours(operator: APIClient, history: None, dirty: bool) -> None:
    before = {name: rows(operator, name) for name in QUESTIONS}
    Day.objects.update(due_at=NOON)
    while sum_day():
        pass
    assert not Day.objects.filter(dirty_since__isnull=False).exists()
    if dirty:
        outbound(NOON + timedelta(hours=3))
        count_again()
        assert rows(operator, "summary")[0]["messages"] == 6
    else:
        assert {name: rows(operator, name) for name in QUESTIONS} == before


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize("dirty", [True, False])
def test_days_of_a_zone_are_summed_up_once_they_are_asked_for(
    operator: APIClient, history: None, zone: str, dirty: bool
) -> None:
    query = {"timezone": zone, "group_by": "template,country"}
    before = rows(operator, "timeseries", **query), rows(operator, "timeseries", timezone=zone)
    Day.objects.update(due_at=NOON)
    while sum_day():
        pass
    assert Day.objects.filter(dirty_since=None, start=local_day(zone, 20)).exists()
    if dirty:
        outbound(NOON + timedelta(hours=3))
        count_again()
        assert not Day.objects.filter(dirty_since=None, start=local_day(zone, 20)).exists()
        assert sum(row["messages"] for row in rows(operator, "timeseries", timezone=zone)) == 6
    else:
        assert (rows(operator, "timeseries", **query), rows(operator, "timeseries", timezone=zone)) == before
        Rollup.objects.exclude(minutes=1440).delete()
        assert sum(row["messages"] for row in rows(operator, "timeseries", timezone=zone)) == 5


@pytest.mark.parametrize(
    "groups",
    ["template,country", "campaign,country,type", "campaign,status", "template,error_code", "country,status"],
)
def test_questions_by_several_dimensions_say_of_days_what_their_hours_say(
    operator: APIClient, history: None, groups: str
) -> None:
    before = rows(operator, "summary", group_by=groups)
    Day.objects.update(due_at=NOON)
    while sum_day():
        pass
    Rollup.objects.exclude(minutes=1440).delete()
    assert rows(operator, "summary", group_by=groups) == before


def two_an_hour(begin: datetime, hours: float) -> None:
    for n in range(int(2 * hours)):
        outbound(begin + timedelta(minutes=30 * n))
    count_again()


@pytest.mark.slow("stores messages for each half hour of three days")
@pytest.mark.parametrize("summed", [True, False])
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", date(2026, 10, 25), 25), ("America/New_York", date(2026, 11, 1), 25),
     ("America/Santiago", date(2026, 9, 6), 23), ("Australia/Lord_Howe", date(2026, 10, 4), 23.5)],
)  # fmt: skip
def test_a_day_on_which_the_clock_changes_has_the_messages_of_its_hours(
    operator: APIClient, zone: str, day: date, hours: float, summed: bool
) -> None:
    begin = datetime.combine(day - timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    # From the beginning of the day before to the end of the day after.
    fill(two_an_hour, begin, 48 + hours)
    query = {"timezone": zone, "since": f"{day - timedelta(days=1)}", "until": f"{day + timedelta(days=2)}"}
    if summed:
        rows(operator, "timeseries", **query)
        Day.objects.update(due_at=begin)
        while sum_day():
            pass
    assert [row["messages"] for row in rows(operator, "timeseries", **query)] == [48, 2 * hours, 48]


def local_day(zone: str, day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=ZoneInfo(zone))


def test_days_begin_at_no_more_times_than_there_is_room_for(
    operator: APIClient, history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "MAX_BEGINNINGS", 2)
    for zone in ("Asia/Kolkata", "America/New_York", "Asia/Kolkata"):
        assert sum(row["messages"] for row in rows(operator, "timeseries", timezone=zone)) == 5
    beginnings = {start.time() for start in Day.objects.values_list("start", flat=True)}
    assert {f"{one:%H:%M}" for one in beginnings} == {"00:00", "18:30"}


def test_no_day_is_wanted_while_a_quarter_is_counted(operator: APIClient, history: None) -> None:
    before = Day.objects.count()
    with other_connection() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('analytics days'))")
        rows(operator, "timeseries", timezone="Asia/Kolkata")
        assert Day.objects.count() == before
    rows(operator, "timeseries", timezone="Asia/Kolkata")
    assert Day.objects.count() == before + 2


@contextmanager
def other_connection() -> Iterator[Any]:
    """A transaction of its own."""
    connection = psycopg2.connect(**django_connection.get_connection_params())
    with closing(connection), connection.cursor() as cursor:
        yield cursor


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/Berlin"])
def test_the_overview_of_the_page_says_what_the_questions_say(operator: APIClient, history: None, zone: str) -> None:
    period = period_of(WEEK["since"], WEEK["until"], ZoneInfo(zone), NOON)
    found = overview(Question(period, Granularity.DAY))
    assert found.steps == rows(operator, "timeseries", timezone=zone)
    assert [found.total] == rows(operator, "summary", timezone=zone)
    assert found.funnel == rows(operator, "funnel", timezone=zone)
    assert [found.conversations] == rows(operator, "conversations", timezone=zone)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/Berlin"])
def test_the_busiest_hours_of_all_are_those_of_both_directions(operator: APIClient, history: None, zone: str) -> None:
    whole = Question(period_of(WEEK["since"], WEEK["until"], ZoneInfo(zone), NOON))
    both = Counter[tuple[int, int]]()
    for direction in ("inbound", "outbound"):
        both.update(busiest(replace(whole, filters={"direction": direction})))
    assert (busiest(whole), sum(both.values())) == (dict(both), 5)


def test_the_funnel_goes_from_accepted_to_answered(operator: APIClient, history: None) -> None:
    found = rows(operator, "funnel")
    assert [(row["stage"], row["messages"]) for row in found] == [
        ("accepted", 3), ("sent", 3), ("delivered", 2), ("read", 1), ("answered", 1),
    ]  # fmt: skip


def test_errors_say_in_words_why_messages_failed(operator: APIClient, history: None) -> None:
    (row,) = rows(operator, "errors")
    assert (row["error_code"], row["messages"], row["share"], row["of"]) == (131026, 1, 1.0, 1)
    assert "deliver" in row["meaning"].lower()


@pytest.mark.parametrize("group_by", [{}, {"group_by": "template"}])
def test_shares_of_errors_are_of_all_that_failed_whatever_the_limit_lists(
    operator: APIClient, group_by: dict[str, str]
) -> None:
    for code in (131026, 131026, 131047):
        outbound(status="failed", error_code=code)
    count_again()
    (row,) = rows(operator, "errors", limit="1", **group_by)
    assert [row[name] for name in ("error_code", "messages", "share", "of")] == [131026, 2, 0.6667, 3]


def test_templates_and_campaigns_are_listed_without_what_has_none(operator: APIClient, history: None) -> None:
    assert [(row["template"], row["messages"]) for row in rows(operator, "templates")] == [("welcome", 2), ("bill", 1)]
    assert [(row["campaign"], row["answered"]) for row in rows(operator, "campaigns")] == [("sale", 1)]


def test_messages_without_a_template_take_no_place_of_those_that_have_one(operator: APIClient) -> None:
    for peer in ("4915112345678", "15551230009"):
        for template in ("", "", "offer"):
            outbound(NOON, peer, template=template)
    count_again()
    answer = operator.get("/analytics/templates", {**WEEK, "group_by": "country", "limit": "1"}).json()
    assert ([row["template"] for row in answer["rows"]], answer["note"][:15]) == (["offer"], "1 of 2 groups, ")


def test_conversations_tell_how_soon_we_wrote_back(operator: APIClient, history: None) -> None:
    (row,) = rows(operator, "conversations")
    assert (row["opened"], row["responded"], row["first_response"]["count"]) == (1, 1, 1)
    assert 45 <= row["first_response"]["p50"] <= 90


def test_a_key_sees_its_own_clients_figures(shop: ApiClient) -> None:
    assert [row["outbound"] for row in rows(caller(shop), "summary")] == [2]
    refused = caller(shop).get("/analytics/summary", {"client": "operator"})
    assert (refused.status_code, list(refused.json())) == (400, ["client"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("campain=x", "campain"),
        ("since=2026-11-01&since=2026-11-02", "since"),
        ("since=tomorrow", "since"),
        ("until=1999-01-01", "until"),
        ("timezone=Mars", "timezone"),
        ("group_by=weather", "group_by"),
        ("group_by=type,type", "group_by"),
        ("group_by=type,template,campaign,country", "group_by"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("direction=up", "direction"),
        ("error_code=x", "error_code"),
        ("template=", "template"),
        ("format=xml", "format"),
        ("format=csv&format=json", "format"),
    ],
)
@pytest.mark.parametrize("question", ["summary", "timeseries"])
def test_a_parameter_that_is_wrong_is_a_400_that_names_it(
    operator: APIClient, question: str, query: str, field: str
) -> None:
    answer = operator.get(f"/analytics/{question}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_too_many_steps_are_refused(operator: APIClient) -> None:
    answer = operator.get("/analytics/timeseries", {"granularity": "15m"})
    assert (answer.status_code, list(answer.json())) == (400, ["granularity"])


def test_a_sentence_says_that_groups_were_left_out(operator: APIClient, history: None) -> None:
    answer = operator.get("/analytics/summary", {**WEEK, "group_by": "template", "limit": "1"}).json()
    assert len(answer["rows"]) == 1
    assert answer["note"].startswith("1 of 3 groups")


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("summary", {"group_by": "template"}),
        ("summary", {"group_by": "template,country"}),
        ("summary", {"group_by": "sender,template", "country": "49"}),
        ("summary", {"group_by": "country,type,template"}),
        ("timeseries", {"group_by": "template,country"}),
        ("templates", {"group_by": "country"}),
        ("conversations", {"group_by": "template,country"}),
    ],
)
def test_the_groups_that_a_limit_lists_have_the_figures_that_they_have_without_it(
    operator: APIClient, question: str, query: dict[str, str]
) -> None:
    for n in range(6):
        for peer in ("4915112345678", "15551230009")[: 1 + n % 2]:
            for nth in range(7 - n):
                row = outbound(
                    NOON + timedelta(minutes=nth), peer, status="read", wamid=f"{peer}{n}{nth}", template=f"t{n}"
                )
                for state, after in (("accepted", 1 + n), ("delivered", 5 + nth), ("read", 60)):
                    at = NOON + timedelta(minutes=nth, seconds=after)
                    MessageEvent.objects.create(message=row, status=state, at=at, source="webhook")
    count_again()
    whole, few = rows(operator, question, **query), rows(operator, question, **query, limit="2")
    assert len(few) < len(whole)
    assert [row for row in few if row not in whole] == []


@pytest.mark.parametrize(
    ("limit", "listed", "note"), [(1, [("1", 3)], "1 of 2 groups, "), (2, [("1", 3), ("2", 2)], "")]
)
def test_the_numbers_of_an_account_are_one_group_for_the_limit_too(
    operator: APIClient, limit: int, listed: list[tuple[str, int]], note: str
) -> None:
    for name, waba_id, messages in (("11", "1", 2), ("12", "1", 1), ("21", "2", 2)):
        number = BusinessNumber.objects.create(phone_number_id=name, waba_id=waba_id)
        for _ in range(messages):
            outbound(number=number)
    count_again()
    answer = operator.get("/analytics/summary", {**WEEK, "group_by": "account", "limit": str(limit)}).json()
    found = [(row["account"], row["messages"]) for row in answer["rows"]]
    assert (found, answer["note"][:15]) == (listed, note)


@pytest.mark.parametrize("question", QUESTIONS)
def test_csv_has_the_same_rows(operator: APIClient, history: None, question: str) -> None:
    answer = operator.get(f"/analytics/{question}", {**WEEK, "format": "csv"})
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="analytics-{question}.csv"'
    assert len(lines) == len(rows(operator, question))


def test_a_cell_of_csv_is_no_formula(operator: APIClient, history: None) -> None:
    outbound(NOON, template="=1+1")
    count_again()
    text = operator.get("/analytics/templates", {**WEEK, "format": "csv"}).content.decode("utf-8-sig")
    assert "'=1+1" in text


def test_nothing_counted_is_no_error(operator: APIClient) -> None:
    assert not Bucket.objects.exists()
    for question in QUESTIONS:
        rows(operator, question)
        assert operator.get(f"/analytics/{question}", {"format": "csv"}).status_code == 200
