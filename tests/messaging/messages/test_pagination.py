"""A filter without an index reads a bounded part of the history for each page, and misses nothing over all pages."""

from base64 import b64encode
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from messaging.messages import pagination
from messaging.models import Message
from tests.messaging.factories import pending

pytestmark = pytest.mark.django_db
SCANNED = 4


@pytest.fixture(autouse=True)
def _few_rows_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "SCANNED", SCANNED)


def stored(statuses: str) -> list[str]:
    """Messages in order of their ids, `f` failed and `r` read; the ids of the failed ones, newest first."""
    rows = pending(len(statuses))
    names = {"f": "failed", "r": "read"}
    for row, letter in zip(sorted(rows, key=lambda row: row.id), statuses, strict=True):
        Message.objects.filter(pk=row.pk).update(status=names[letter])
    return [str(pk) for pk in Message.objects.filter(status="failed").order_by("-id").values_list("id", flat=True)]


def pages(api: APIClient, first: str, direction: str = "next") -> list[dict[str, Any]]:
    """The pages from this one on."""
    found: list[dict[str, Any]] = []
    path: str | None = first
    while path:
        found.append(api.get(path).json())
        path = found[-1][direction]
    return found


def ids_of(found: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for page in found for row in page["results"]]


FAILED = "/messaging/messages?status=failed&page_size=2"


def test_a_page_ends_where_its_scan_ends_and_the_next_one_goes_on_there(api: APIClient) -> None:
    expected = stored("f" + "r" * 5 + "f")
    assert [ids_of([page]) for page in pages(api, FAILED)] == [expected[:1], expected[1:]]


def test_a_part_without_a_match_is_an_empty_page_with_a_next_one(api: APIClient) -> None:
    expected = stored("f" + "r" * 9)
    assert [ids_of([page]) for page in pages(api, FAILED)] == [[], [], expected]


@pytest.mark.slow("pages through random lists")
@given(st.text("fr", max_size=14))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_all_pages_together_have_each_match_once_in_both_directions(api: APIClient, statuses: str) -> None:
    Message.objects.all().delete()
    expected = stored(statuses) if statuses else []
    forth = pages(api, FAILED)
    assert ids_of(forth) == expected
    back = pages(api, forth[-1]["previous"], "previous") if forth[-1]["previous"] else []
    assert sorted({*ids_of(back), *ids_of(forth[-1:])}) == sorted(expected)


def test_a_time_bounds_the_scan_too(api: APIClient) -> None:
    stored("f" * 3 + "r" * 6)
    assert len(pages(api, f"{FAILED}&created_after=2999-01-01T00:00:00Z")) == 1


@pytest.mark.parametrize(
    ("query", "bounds"), [("status=failed", 1), ("hold=limit", 1), ("", 0), ("status=failed&campaign=x", 0)]
)
def test_only_a_filter_without_an_index_asks_for_the_end_of_the_scan(api: APIClient, query: str, bounds: int) -> None:
    pending(1)
    with CaptureQueriesContext(connection) as queries:
        api.get(f"/messaging/messages?{query}")
    assert sum("OFFSET 3" in one["sql"] for one in queries) == bounds


@pytest.mark.parametrize("position", ["0" * 32, "f" * 32])
@pytest.mark.parametrize("backwards", ["", "r=1&"])
def test_a_cursor_at_either_end_of_all_ids_is_answered(api: APIClient, position: str, backwards: str) -> None:
    cursor = b64encode(f"{backwards}p={position}".encode()).decode()
    assert api.get(f"{FAILED}&cursor={cursor}").status_code == 200
