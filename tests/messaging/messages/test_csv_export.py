"""Messages as CSV."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.messages import csv_export
from messaging.models import AuditEntry, Message
from tests.messaging.conversations.factories import logged_in
from tests.messaging.factories import number, pending

pytestmark = pytest.mark.django_db
EXPORT = "/admin/messaging/message/export/"


@pytest.fixture
def exporter(db: None) -> Client:
    return logged_in("view_message", "export_message")


def exported(client: Client, **query: Any) -> list[dict[str, str]]:
    answer = client.get(EXPORT, query)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_has_the_filtered_messages_newest_first(exporter: Client) -> None:
    rows = pending(3)
    Message.objects.filter(pk=rows[0].pk).update(status="sent")
    assert [row["phone_number"] for row in exported(exporter)] == [row.peer for row in reversed(rows)]
    assert [row["id"] for row in exported(exporter, status__exact="sent")] == [str(rows[0].pk)]


def test_the_export_applies_the_search(exporter: Client) -> None:
    rows = pending(3)
    assert [row["id"] for row in exported(exporter, q=f"+{rows[1].peer}")] == [str(rows[1].pk)]


def test_the_export_reads_one_chunk_at_a_time(exporter: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "CHUNK", 2)
    pending(5)
    with CaptureQueriesContext(connection) as queries:
        assert len(exported(exporter)) == 5
    assert sum(query["sql"].endswith("LIMIT 2") for query in queries) == 4


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20A"]
FORMULAS += [" =1", "\u00a0=1", "\u200b=1", '"=1', "'=1", "\ufe661"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_starts_with_a_formula(text: str, exporter: Client) -> None:
    (row,) = pending(1)
    Message.objects.filter(pk=row.pk).update(text=text)
    assert exported(exporter)[0]["text"].startswith("'")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1", "a;'=1+1"), ("a; =1", "a;' =1"), ("a\n=1", "a\n'=1"), ("a\t@x", "a\t'@x"), ('a;"=1"', "a;'\"=1\""),
        ("a;\uff1d1", "a;'\uff1d1"), ("a-b = c; d", "a-b = c; d"), ("1 + 1", "1 + 1"), ("a,=1", "a,=1"),
    ],
)  # fmt: skip
def test_no_other_separator_starts_a_cell_with_a_formula(text: str, cell: str, exporter: Client) -> None:
    (row,) = pending(1)
    Message.objects.filter(pk=row.pk).update(text=text)
    assert exported(exporter)[0]["text"] == cell


def test_text_keeps_its_lines_commas_and_quotes(exporter: Client) -> None:
    Message.objects.create(
        number=number(), peer="1", direction="inbound", type="text", status="received", text='a,\n"b" é'
    )
    assert exported(exporter)[0]["text"] == 'a,\n"b" é'


def test_the_audit_log_records_an_export_without_the_searched_number(exporter: Client) -> None:
    exported(exporter, q="15551230001", direction="inbound")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.details) == ("export", {"direction": "inbound", "searched": True})


@pytest.mark.parametrize("name", ["peer", "peer__exact", "sent_to__exact", "wamid__exact", "reference__exact"])
def test_the_audit_log_records_an_export_without_the_person_of_a_filter(name: str, exporter: Client) -> None:
    exported(exporter, **{name: "15551230001", "direction": "inbound"})
    assert AuditEntry.objects.get().details == {"direction": "inbound", "searched": True}


@pytest.mark.parametrize("permission", ["view_message", "export_message"])
def test_the_export_needs_both_permissions(permission: str) -> None:
    client = logged_in(permission)
    assert (client.get(EXPORT).status_code, AuditEntry.objects.count()) == (403, 0)


def test_the_list_offers_the_export_to_permitted_accounts(exporter: Client) -> None:
    page = "/admin/messaging/message/"
    offered = [EXPORT in client.get(page).content.decode() for client in (exporter, logged_in("view_message"))]
    assert offered == [True, False]
