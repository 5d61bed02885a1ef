"""No statement of the lanes' processes reads the whole history, however PostgreSQL estimates its rows."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from messaging import deliver
from messaging.conversations import queries
from messaging.conversations.queries import latest_conversations
from messaging.dispatch import SWEEPS, Dispatcher
from messaging.incoming.store import receive
from messaging.messages import pagination
from messaging.messages.api import MessageFilter
from messaging.messages.search import search_messages
from messaging.models import BusinessNumber, Message
from messaging.outgoing.claims import claim
from messaging.outgoing.lost_answers.incoming_evidence import IncomingEvidence
from messaging.outgoing.lost_answers.unknown_outcomes import sweep_unknown
from messaging.outgoing.release import inbound_rates, numbers_with_due_messages, release
from messaging.retention import registered
from monitoring.metrics import message_counts
from monitoring.monitor import Monitor
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import accepted, answered, number, pending

pytestmark = [pytest.mark.slow("fills tables until PostgreSQL plans as it does in production"), pytest.mark.django_db]
HISTORY = 20_000
# Tables that grow with each message, or with each webhook of a kind or a message that nothing here knows.
GROWING = {
    "messaging_message", "messaging_messageevent", "messaging_attempt", "messaging_unknownupdate",
    "messaging_orphanstatus",
}  # fmt: skip
EXPLAINABLE = re.compile(r"(/\*.*?\*/)?\s*(SELECT|WITH|UPDATE|DELETE|INSERT)\b", re.IGNORECASE | re.DOTALL)

# Messages of earlier days: a third of users, the others sent and read. As in every long history, most rows have no
# `released_at`, `due_at` or `hold` for reasons of their own, which the planner takes for messages that wait.
FILL = """
INSERT INTO messaging_message (id, direction, number_id, peer, wamid, type, content, text, context_wamid, origin,
  status, at, created_at, updated_at, priority, due_at, releases, released_at, outcome_at, attempts, calls,
  error_title, reference, campaign, template, on_unknown, generation)
SELECT uuidv7(age), CASE WHEN inbound THEN 'inbound' ELSE 'outbound' END, %s, '1555' || n %% 5000, 'wamid.' || n,
  'text', '{}', 'text', '', '', CASE WHEN inbound THEN 'received' ELSE 'read' END,
  now() + age, now() + age, now() + age, 5, CASE WHEN NOT inbound THEN now() + age END, 0,
  CASE WHEN NOT inbound THEN now() + age END, CASE WHEN NOT inbound THEN now() + age END, 0, 0,
  '', CASE WHEN n %% 7 = 0 THEN 'order ' || n %% 400 WHEN n %% 50 = 1 THEN 'both' ELSE '' END,
  CASE WHEN n %% 3 = 0 THEN '' WHEN n < 2000 THEN 'spring' WHEN n < 2100 THEN 'both' ELSE 'campaign ' || n %% 20 END,
  '', 'wait', 0
FROM (SELECT n, n %% 3 = 0 AS inbound, (n - %s) * interval '1 minute' AS age FROM generate_series(1, %s) AS n) AS made
"""
TRAIL = """
INSERT INTO messaging_messageevent (message_id, status, at, source)
SELECT id, status, at, 'webhook' FROM messaging_message
"""
ATTEMPTS = """
INSERT INTO messaging_attempt (message_id, n, wamid, outcome, error_title, at)
SELECT id, 1, wamid, 'Accepted', '', at FROM messaging_message WHERE direction = 'outbound'
"""
UNKNOWN = """
INSERT INTO messaging_unknownupdate (kind, phone_number_id, raw, digest, received_at, seen, last_seen_at)
SELECT 'new', '', '{}', n::text, now() - interval '1 year', 2, now() - n * interval '1 minute'
FROM generate_series(1, %s) AS n
"""
# Of a system that sends from the same number: nothing here has their messages.
ORPHANS = """
INSERT INTO messaging_orphanstatus (wamid, phone_number_id, callback_data, status, participant, raw, at, received_at)
SELECT 'wamid.other' || n, '', '', 'sent', '', '{}', now(), now() - (%s - n) * interval '25 seconds'
FROM generate_series(1, %s) AS n
"""
FORGET = """
SELECT pg_clear_attribute_stats('public', relname, attname, false)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relname = ANY(%s) AND attnum > 0 AND NOT attisdropped
"""


@pytest.fixture(params=["analyzed", "without_statistics"])
def history(request: pytest.FixtureRequest) -> BusinessNumber:
    """A number with a history. Without statistics, as after a restore or a major upgrade of the server, the planner
    knows how large a table is, and nothing of what is in it."""
    sender = number(rate=80)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [sender.pk, HISTORY, HISTORY])
        cursor.execute(TRAIL)
        cursor.execute(ATTEMPTS)
        cursor.execute(UNKNOWN, [HISTORY])
        cursor.execute(ORPHANS, [HISTORY, HISTORY])
        cursor.execute(f"ANALYZE {', '.join(sorted(GROWING))}")
        if request.param == "without_statistics":
            cursor.execute(FORGET, [sorted(GROWING)])
    return sender


@contextmanager
def statements() -> Iterator[dict[str, Any]]:
    """The statements that are made meanwhile, with their parameters."""
    seen: dict[str, Any] = {}

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.setdefault(sql, params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def whole_reads(seen: dict[str, Any]) -> list[str]:
    """The statements whose plan reads a growing table from end to end."""
    found = []
    with connection.cursor() as cursor:
        for several, params in seen.items():
            for sql in several.split(";") if isinstance(params, dict) else [several]:
                if EXPLAINABLE.match(sql):
                    cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                    if any(scan["Relation Name"] in GROWING for scan in _scans(cursor.fetchone()[0])):
                        found.append(" ".join(sql.split()))
    return found


def _scans(plan: Any) -> Iterator[dict[str, Any]]:
    """Where a table is read, or walked through by its primary key, until enough rows have passed a filter."""
    if isinstance(plan, list):
        for part in plan:
            yield from _scans(part)
    elif isinstance(plan, dict):
        is_walk = str(plan.get("Index Name")).endswith("_pkey") and "Filter" in plan and "Index Cond" not in plan
        if plan.get("Node Type") == "Seq Scan" or is_walk:
            yield plan
        yield from _scans(list(plan.values()))


def test_the_dispatcher(history: BusinessNumber, sqs: Any) -> None:
    pending(3)
    with statements() as seen:
        numbers_with_due_messages()
        inbound_rates()
        release(history.pk)
        Dispatcher().tick()
        for _, sweep in SWEEPS:
            sweep()
        # The sweep of the dispatcher does this only where a message waits for it.
        sweep_unknown(IncomingEvidence(timezone.now(), None, None))
    assert whole_reads(seen) == []


def test_the_evidence_about_a_lost_answer(history: BusinessNumber) -> None:
    (message,) = pending()
    Message.objects.filter(pk=message.pk).update(
        status="unknown", unknown_at=timezone.now() - timedelta(seconds=601), outcome_at=timezone.now()
    )
    with statements() as seen:
        sweep_unknown(IncomingEvidence(timezone.now(), None, None))
    assert whole_reads(seen) == []


def test_the_workers(history: BusinessNumber) -> None:
    pending(3)
    with statements() as seen:
        for row in claim(release(history.pk)):
            answered(row, accepted(f"wamid.{row.message_id}"))
        receive(webhook(inbound_text(sender="15551")))
    assert whole_reads(seen) == []


def test_deliver(history: BusinessNumber) -> None:
    with statements() as seen:
        for worker in deliver.WORKERS:
            worker.claim(10)
            if worker.housekeeping:
                worker.housekeeping()
    assert whole_reads(seen) == []


@pytest.mark.parametrize("rule", [rule.name for rule in registered()])
def test_a_step_of_retention(rule: str, history: BusinessNumber) -> None:
    (found,) = (one for one in registered() if one.name == rule)
    with statements() as seen:
        found.step(timezone.now() - timedelta(days=40), "")
    assert whole_reads(seen) == []


def test_the_monitor(history: BusinessNumber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_counts, "ROWS", HISTORY // 40)
    with statements() as seen:
        Monitor().tick()
    assert whole_reads(seen) == []


def test_a_send_and_the_list(history: BusinessNumber, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "SCANNED", HISTORY // 40)
    body = {"phone_number": "+16502530000", "message_type": "text", "message_data": {"content": "Hello"}}
    with statements() as seen:
        sent = api.post("/messaging/send", {**body, "campaign": "spring"}, format="json").data["id"]
        api.get(f"/messaging/messages/{sent}")
        for query in (
            "",
            "status=cancelled",
            "hold=limit",
            "hold=number",
            "campaign=spring",
            "reference=x",
            "wamid=x",
            "phone_number=15551",
        ):
            api.get(f"/messaging/messages?{query}")
    assert whole_reads(seen) == []


@pytest.mark.parametrize("term", ["15551", "+1 555 1", "nobody", "order 7", "spring", "both"])
def test_a_search(term: str, history: BusinessNumber) -> None:
    with statements() as seen:
        list(search_messages(Message.objects.all(), term).order_by("-id")[:101])
    assert whole_reads(seen) == []


@pytest.mark.parametrize("name", ["phone_number", "wamid", "reference", "campaign"])
@pytest.mark.parametrize("value", ["15551", "nobody", "order 7", "spring", "both"])
def test_a_filter_of_the_api_that_has_an_index(name: str, value: str, history: BusinessNumber) -> None:
    with statements() as seen:
        list(MessageFilter({name: value}, Message.objects.order_by("-id")).qs[:51])
    assert whole_reads(seen) == []


@pytest.mark.parametrize("unanswered", [False, True])
def test_the_conversations_of_a_quiet_number(
    unanswered: bool, history: BusinessNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SCANNED", HISTORY // 40)
    quiet = BusinessNumber.objects.create(phone_number_id="quiet")
    with statements() as seen:
        latest_conversations(50, number=quiet.pk, unanswered=unanswered)
        latest_conversations(
            50, number=quiet.pk, before=Message.objects.order_by("-id")[:1].get().pk, unanswered=unanswered
        )
    assert whole_reads(seen) == []
