"""Account events of Meta: stored once. Template categories are recorded from them."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone

from messaging.contacts import record_template_category
from messaging.lifecycle import AccountEventStored, publish_events
from messaging.models import AccountEvent
from messaging.portfolios import read_limit_event, store_limit
from messaging.reactions import react
from messaging.whatsapp.inbound import Event, fields

ID_LENGTH = 32


def store_events(events: Sequence[Event]) -> None:
    """Store events and publish them. Inside a transaction. A repeated event is neither stored nor published."""
    rows = {row.digest: row for row in map(_row, events)}
    if not rows:
        return
    known = set(AccountEvent.objects.filter(digest__in=rows).values_list("digest", flat=True))
    fresh = [rows[digest] for digest in sorted(rows) if digest not in known]
    AccountEvent.objects.bulk_create(fresh, ignore_conflicts=True)
    stored = AccountEvent.objects.filter(digest__in=[row.digest for row in fresh])
    publish_events([AccountEventStored(pk) for pk in stored.order_by("pk").values_list("pk", flat=True)])
    _store_limits(fresh)
    new = {row.digest for row in fresh}
    react(event for event in events if digest_of(event) in new)
    for event in sorted(events, key=lambda event: (event.subject, event.waba_id or "")):
        _record_category(event)


def _store_limits(rows: Sequence[AccountEvent]) -> None:
    """Store the messaging limits that new events name, after the commit: the dispatcher locks portfolios."""
    for row in rows:
        limit = read_limit_event(row.kind, fields.node(row.raw, "value"))
        if limit is not None:
            transaction.on_commit(partial(store_limit, row.waba_id, limit, row.at))


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


def _record_category(event: Event) -> None:
    value = fields.node(event.raw, "value")
    key = {"template_category_update": "new_category", "message_template_status_update": "message_template_category"}
    category = fields.text(value, key[event.kind]) if event.kind in key else None
    if category and event.subject:
        record_template_category((event.waba_id or "")[:ID_LENGTH], event.subject, category)
