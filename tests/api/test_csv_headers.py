"""Every CSV file of the API begins with its header, also where there are no rows."""

from datetime import timedelta
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from messaging.models import ApiClient, ApiKey
from tests.analytics.rollups.factories import NOON, count_again, inbound, outbound

pytestmark = pytest.mark.django_db
MARK = "\ufeff"
WEEK = "since=2026-11-16&until=2026-11-23"
ADDRESSES = [
    *(
        f"/analytics/{question}?format=csv&{WEEK}{groups}"
        for question in (
            "summary", "timeseries", "funnel", "errors", "templates", "campaigns", "conversations", "costs",
        )
        for groups in ("", "&group_by=sender", "&group_by=client,template")
    ),
    f"/analytics/costs?format=csv&{WEEK}&granularity=day",
    f"/analytics/timeseries?format=csv&{WEEK}&granularity=hour&group_by=type",
    f"/analytics/export?format=csv&{WEEK}",
]  # fmt: skip


@pytest.fixture
def operator(db: None) -> APIClient:
    """Sees everybody's messages."""
    client = APIClient()
    key = ApiKey.issue(ApiClient.objects.create(name="boss", operator=True))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def lines(operator: APIClient, address: str) -> list[str]:
    """The lines of the file, without its byte order mark."""
    answer: Any = operator.get(address)
    text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
    assert text.startswith(MARK)
    return text.removeprefix(MARK).splitlines()


def history() -> None:
    """Messages that give every question a row."""
    outbound(NOON, template="hello", campaign="spring", status="read")
    outbound(NOON + timedelta(minutes=1), template="hello", campaign="spring", status="failed", error_code=131026)
    inbound(NOON + timedelta(minutes=2))
    count_again()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_file_without_rows_has_the_header_of_one_with_rows(operator: APIClient, address: str) -> None:
    empty = lines(operator, address)
    history()
    header, *rows = lines(operator, address)
    assert (empty[:1], rows != []) == ([header], True)


def test_the_table_has_every_endpoint_that_answers_csv() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    found = {
        path for path, methods in paths.items() for method in methods.values()
        if "text/csv" in method["responses"].get("200", {}).get("content", {})
    }  # fmt: skip
    assert found == {address.partition("?")[0] for address in ADDRESSES}
