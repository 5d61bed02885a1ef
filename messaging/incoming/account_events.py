"""Account events of Meta: stored once. Template categories are recorded from them."""

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from messaging.contacts import record_template_category
from messaging.lifecycle import AccountEventStored, publish_events, retry_on_deadlock
from messaging.meta_events import handle_events
from messaging.models import AccountEvent, Template
from messaging.portfolios import read_limit_event, store_limit
from messaging.whatsapp.inbound import Event, fields
from messaging.whatsapp.messaging_limits import MessagingLimit

logger = logging.getLogger(__name__)

ID_LENGTH = 32


def store_events(events: Sequence[Event]) -> None:
    """Store events and publish them. Inside a transaction. A repeated event is neither stored nor published."""
    rows = {row.digest: row for row in map(_row, events)}
    if not rows:
        return
    stored = _insert([rows[digest] for digest in sorted(rows)])
    publish_events([AccountEventStored(pk) for pk in sorted(stored.values())])
    _store_limits([rows[digest] for digest in sorted(stored)])
    fresh = [(event, rows[digest]) for event in events if (digest := digest_of(event)) in stored]
    handle_events([event for event, _ in fresh])
    for event, row in sorted(fresh, key=lambda one: (one[1].subject, one[1].waba_id, one[1].at)):
        _record_category(event, row)


def _insert(rows: Sequence[AccountEvent]) -> dict[str, int]:
    """Insert these rows, in the order of their digests; returns the pks of those that were not stored yet, by digest.

    Another worker may store the same event at this moment: only the statement that inserts it knows that it is new.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_accountevent
              (kind, event, subject, waba_id, phone_number_id, at, raw, digest, received_at)
            SELECT t.kind, t.event, t.subject, t.waba_id, t.phone_number_id, t.at, t.raw::jsonb, t.digest,
              statement_timestamp()
            FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[],
              %s::text[]) AS t(kind, event, subject, waba_id, phone_number_id, at, raw, digest)
            ON CONFLICT (digest) DO NOTHING RETURNING digest, id
            """,
            [
                [row.kind for row in rows],
                [row.event for row in rows],
                [row.subject for row in rows],
                [row.waba_id for row in rows],
                [row.phone_number_id for row in rows],
                [row.at for row in rows],
                [json.dumps(row.raw) for row in rows],
                [row.digest for row in rows],
            ],
        )
        return dict(cursor.fetchall())


def _store_limits(rows: Sequence[AccountEvent]) -> None:
    """Store the messaging limits that new events name, after the commit: the dispatcher locks portfolios."""
    for row in rows:
        limit = read_limit_event(row.kind, fields.node(row.raw, "value"))
        if limit is not None:
            transaction.on_commit(partial(_store_limit, row.waba_id, limit, row.at))


def _store_limit(waba_id: str, limit: MessagingLimit, at: datetime) -> None:
    """Store a limit. A failure is only logged: an exception would keep the events of the commit from its listeners, and
    the next refresh of accounts asks Meta for the limit anyway.
    """
    try:
        retry_on_deadlock(store_limit)(waba_id, limit, at)
    except Exception as error:
        logger.error("the messaging limit of account %s is not stored: %s", waba_id, type(error).__name__)


def digest_of(event: Event) -> str:
    """The same for each delivery of one event."""
    identity = [event.kind, event.waba_id, event.phone_number_id, event.timestamp and event.timestamp.isoformat()]
    text = json.dumps([*identity, event.raw], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _row(event: Event) -> AccountEvent:
    now = timezone.now()
    return AccountEvent(
        kind=event.kind,
        event=event.event,
        subject=event.subject,
        waba_id=(event.waba_id or "")[:ID_LENGTH],
        phone_number_id=(event.phone_number_id or "")[:ID_LENGTH],
        at=min(event.timestamp or now, now),
        raw=event.raw,
        digest=digest_of(event),
    )


def _record_category(event: Event, row: AccountEvent) -> None:
    value = fields.node(event.raw, "value")
    key = {"template_category_update": "new_category", "message_template_status_update": "message_template_category"}
    category = fields.text(value, key[event.kind]) if event.kind in key else None
    if category and row.subject:
        language = fields.text(value, "message_template_language", longest=20) or ""
        # Consent goes by name: marketing in one language is marketing in all.
        templates = Template.objects.filter(account__waba_id=row.waba_id, name=row.subject, removed_at=None)
        stored = dict(templates.exclude(category="").values_list("language", "category"))
        is_current = language in stored if language else bool(stored)
        if "MARKETING" in stored.values():
            category = "MARKETING"
        elif is_current:
            category = min(stored.values())
        record_template_category(row.waba_id, row.subject, category, row.at, is_current=is_current)
