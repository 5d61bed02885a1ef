"""The list of events: filters, cursor, order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from analytics.models import Event

pytestmark = pytest.mark.django_db
URL = "/analytics/events"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(minute: int = 0, **fields: Any) -> Event:
    fields = {"event_type": "signup", "source": "api", "client_name": "shop", **fields}
    return Event.objects.create(occurred_at=NOON + timedelta(minutes=minute), **fields)


def ids(api: APIClient, **query: Any) -> list[str]:
    answer = api.get(URL, query)
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


def test_an_event_is_shown_as_it_was_given(api: APIClient) -> None:
    event(event_id="o-1", contact="15551234567", reference="A 1", data={"n": 1})
    (row,) = api.get(URL).json()["results"]
    assert {name: row[name] for name in row if name not in {"id", "stored_at"}} == {
        "event_id": "o-1", "event_type": "signup", "event_data": {"n": 1}, "contact": "15551234567",
        "reference": "A 1", "client": "shop", "source": "api", "occurred_at": "2026-11-20T12:00:00Z",
    }  # fmt: skip


def test_the_newest_stand_first(api: APIClient) -> None:
    rows = [event(minute) for minute in (1, 3, 2)]
    assert ids(api) == [str(rows[n].pk) for n in (1, 2, 0)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"event_type": "login"}, [1]),
        ({"event_id": "o-2"}, [1]),
        ({"contact": "+1 555 123-4567"}, [1]),
        ({"reference": "A 1"}, [0]),
        ({"client": "crm"}, [1]),
        ({"source": "python"}, [1]),
        ({"occurred_after": "2026-11-20T12:05:00Z"}, [1]),
        ({"occurred_after": "2026-11-20T12:05:00.1Z"}, []),
        ({"occurred_before": "2026-11-20T13:05:00+01:00"}, [0]),
        ({"event_type": "signup", "reference": "A 1"}, [0]),
        ({"event_type": "SIGNUP"}, []),
    ],
)
def test_a_filter_leaves_out_the_others(query: dict[str, str], found: list[int], api: APIClient) -> None:
    rows = [
        event(reference="A 1"),
        event(5, event_type="login", event_id="o-2", contact="15551234567", client_name="crm", source="python"),
    ]
    assert ids(api, **query) == [str(rows[n].pk) for n in found]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"type": "x"}, "type"),
        ({"contact": "Ann"}, "contact"),
        ({"occurred_after": "yesterday"}, "occurred_after"),
        ({"occurred_after": "0001-01-01T00:00:00+23:59"}, "occurred_after"),
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "201"}, "page_size"),
        ({"source": "pipeline"}, "source"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "////"}, "cursor"),
        ({"cursor": "MjAyNi0xMS0yMFQxMjowMDowMC8x"}, "cursor"),
        ({"cursor": "Ж"}, "cursor"),
        ({"event_type": ""}, "event_type"),
    ],
)
def test_a_parameter_that_cannot_be_right_is_refused_by_name(query: dict[str, str], named: str, api: APIClient) -> None:
    answer = api.get(URL, query)
    assert (answer.status_code, list(answer.json())) == (400, [named])


def test_a_parameter_that_is_given_twice_is_refused(api: APIClient) -> None:
    answer = api.get(f"{URL}?event_type=a&event_type=b")
    assert (answer.status_code, list(answer.json())) == (400, ["event_type"])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_the_pages_hold_each_event_once_though_all_have_the_same_time(size: int, api: APIClient) -> None:
    made = {str(event().pk) for _ in range(7)}
    url: str | None = f"{URL}?page_size={size}&event_type=signup"
    seen: list[str] = []
    while url:
        answer = api.get(url).json()
        seen += [row["id"] for row in answer["results"]]
        url = answer["next"]
    assert (len(seen), set(seen)) == (7, made)


def test_an_event_that_comes_between_two_pages_moves_none_of_the_others(api: APIClient) -> None:
    rows = [event(minute) for minute in range(4)]
    first = api.get(URL, {"page_size": 2}).json()
    event(9)
    second = api.get(first["next"]).json()["results"]
    assert [row["id"] for row in second] == [str(rows[1].pk), str(rows[0].pk)]


def test_a_page_costs_one_query(api: APIClient, django_assert_num_queries: Any) -> None:
    event()
    api.get(URL)
    with django_assert_num_queries(1):
        api.get(URL, {"contact": "15551234567"})
