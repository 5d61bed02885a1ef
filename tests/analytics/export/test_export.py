"""`GET /analytics/export`: one row a message."""

import csv
import io
import tracemalloc
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from analytics.export import facts as reading
from analytics.export import parquet
from analytics.export.facts import COLUMNS, facts
from analytics.questions import Period, Question
from messaging.models import ApiClient, ApiKey, Message, MessageEvent
from tests.analytics.costs.factories import delivered
from tests.analytics.rollups.factories import NOON, inbound, outbound

pytestmark = pytest.mark.django_db
PERIOD = {"since": "2026-11-20", "until": "2026-11-21", "timezone": "UTC"}
PHONE = "4915112345678"


@pytest.fixture
def operator() -> APIClient:
    """Sees everybody's messages."""
    client = APIClient()
    key = ApiKey.issue(ApiClient.objects.create(name="boss", operator=True))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def body_of(caller: APIClient, **query: Any) -> bytes:
    answer: Any = caller.get("/analytics/export", {**PERIOD, **query})
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows_of(caller: APIClient, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body_of(caller, **query).decode("utf-8-sig"))))


def test_a_message_is_a_row_with_its_facts(operator: APIClient) -> None:
    shop = ApiClient.objects.create(name="shop")
    row = delivered(NOON, PHONE, client=shop, reference="order-7", type="template", template="sale", campaign="autumn",
                    billable=True, wamid="wamid.SECRET", text="hello")  # fmt: skip
    MessageEvent.objects.create(message=row, status="read", at=NOON + timedelta(minutes=5), source="webhook")
    (found,) = rows_of(operator)
    assert tuple(found) == COLUMNS
    times = {name: found.pop(name) for name in COLUMNS if name.endswith("_at")}
    assert times["read_at"] == "2026-11-20T12:05:00+00:00" and times["sent_at"] == ""
    assert found == {
        "id": str(row.pk), "reference": "order-7", "direction": "outbound", "client": "shop",
        "sender": row.number.phone_number_id, "account": row.number.waba_id, "type": "template", "template": "sale",
        "campaign": "autumn", "country": "49", "market": "Germany", "category": "marketing", "price_type": "regular",
        "billable": "True", "status": "delivered", "error_code": "",
    }  # fmt: skip


def test_no_text_phone_number_or_wamid_leaves_by_it(operator: APIClient) -> None:
    delivered(NOON, PHONE, text="a secret word", wamid="wamid.SECRET", sent_to=PHONE)
    inbound(NOON, PHONE, text="a secret answer", wamid="wamid.OTHER")
    body = body_of(operator)
    assert not [word for word in (PHONE, "secret", "wamid") if word.encode() in body]


def test_the_rows_are_the_messages_that_the_questions_count(operator: APIClient) -> None:
    midnight = NOON.replace(hour=0)
    kept = [outbound(at) for at in (midnight, NOON, midnight + timedelta(hours=24) - timedelta(milliseconds=1))]
    for at in (midnight - timedelta(milliseconds=1), midnight + timedelta(hours=24)):
        outbound(at)
    outbound(NOON, origin="echo")
    inbound(NOON, origin="history")
    assert [row["id"] for row in rows_of(operator)] == [str(row.pk) for row in kept]


def test_chunks_join_without_a_gap_or_a_repetition(operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK", 3)
    made = sorted(str(outbound(NOON + timedelta(minutes=n * 7)).pk) for n in range(60))
    assert [row["id"] for row in rows_of(operator)] == made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"campaign": "autumn"}, 1),
        ({"direction": "inbound"}, 1),
        ({"status": "failed", "error_code": "131026"}, 1),
        ({"country": "49"}, 2),
        ({"category": "utility"}, 1),
        ({"client": "shop"}, 1),
        ({"client": "nobody"}, 0),
        ({"sender": "1"}, 0),
    ],
)
def test_filters_are_those_of_the_questions(operator: APIClient, query: dict[str, str], expected: int) -> None:
    delivered(NOON, PHONE, "utility", campaign="autumn")
    outbound(NOON, "15551230001", status="failed", error_code=131026, client=ApiClient.objects.create(name="shop"))
    inbound(NOON, PHONE)
    assert len(rows_of(operator, **query)) == expected


def test_a_key_exports_the_messages_of_its_own_client_only(api: APIClient) -> None:
    outbound(NOON, client=ApiClient.objects.get(name="shop"), reference="ours")
    outbound(NOON, client=ApiClient.objects.create(name="other"))
    outbound(NOON)
    assert [row["reference"] for row in rows_of(api)] == ["ours"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xml"}, "format"),
        ({"format": "json"}, "format"),
        ({"group_by": "campaign"}, "group_by"),
        ({"granularity": "day"}, "granularity"),
        ({"limit": "5"}, "limit"),
        ({"since": "yesterday"}, "since"),
        ({"client": "other"}, "client"),
    ],
)
def test_a_wrong_parameter_is_named(api: APIClient, query: dict[str, str], field: str) -> None:
    answer = api.get("/analytics/export", {**PERIOD, **query})
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_reference_that_a_spreadsheet_would_calculate_is_text(operator: APIClient) -> None:
    outbound(NOON, reference="=1+1")
    assert rows_of(operator)[0]["reference"] == "'=1+1"


def test_parquet_has_the_same_rows_with_types(operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(reading, "CHUNK", 4)
    monkeypatch.setattr(parquet, "ROW_GROUP", 8)
    for n in range(21):
        outbound(NOON + timedelta(seconds=n), status="failed", error_code=131026 + n, reference="=1")
    file = arrow.ParquetFile(io.BytesIO(body_of(operator, format="parquet")))
    table = file.read()
    assert (file.num_row_groups, table.column_names) == (3, list(COLUMNS))
    assert table["id"].to_pylist() == [row["id"] for row in rows_of(operator)]
    assert table["error_code"].to_pylist() == [131026 + n for n in range(21)]
    assert table["created_at"][0].as_py() == NOON and table["reference"][0].as_py() == "=1"


def test_parquet_of_no_messages_is_a_file_without_rows(operator: APIClient) -> None:
    arrow = pytest.importorskip("pyarrow.parquet")
    assert arrow.read_table(io.BytesIO(body_of(operator, format="parquet"))).num_rows == 0


def test_without_pyarrow_parquet_is_refused_with_the_reason(
    operator: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.export.api.pyarrow", lambda: None)
    answer = operator.get("/analytics/export", {**PERIOD, "format": "parquet"})
    assert answer.status_code == 400 and "pyarrow" in answer.json()["format"][0]


@pytest.mark.slow("stores thousands of messages")
def test_memory_does_not_grow_with_the_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK", 50)
    template = outbound(NOON)
    asked = Question(Period(NOON - timedelta(hours=1), NOON + timedelta(hours=1), ZoneInfo("UTC")))

    def peak(messages: int) -> int:
        rows = [
            Message(number=template.number, direction="outbound", peer=PHONE, type="text", status="sent",
                    id=f"{str(template.pk)[:24]}{n:012x}", reference="r" * 200) for n in range(messages)
        ]  # fmt: skip
        Message.objects.bulk_create(rows, ignore_conflicts=True)
        tracemalloc.start()
        for _ in facts(asked):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(4000) < 2 * peak(100) + 200_000
