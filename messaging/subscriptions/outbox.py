"""Outbox of subscriptions: one delivery per event and subscription, in the transaction of the event.

So no committed event is lost. Each process caches the active subscriptions for CACHED_S seconds: without any, events
cost nothing, and a new subscription gets the events from CACHED_S after its creation on.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from messaging.identifiers import uuid7
from messaging.lifecycle import AccountEventStored, DomainEvent, MediaSettled, MessageReceived, StatusChanged
from messaging.models import EventType, Subscription
from messaging.models.subscriptions import LANES
from messaging.states import Status
from messaging.subscriber_http.retry_schedule import RETRY_PERIOD

CACHED_S = 3.0
# Steps inside the pipeline, of which subscribers get no event.
INTERNAL_STATUSES = frozenset({Status.PENDING, Status.QUEUED, Status.SENDING})


@dataclass(frozen=True, slots=True)
class _Row:
    event: EventType
    message_id: UUID | None = None
    message_event_id: int | None = None
    account_event_id: int | None = None


class Outbox:
    """The domain-event writer that inserts deliveries."""

    def __init__(self) -> None:
        self._subscribers: list[tuple[UUID, frozenset[str]]] = []
        self._cached_until = 0.0

    def wants(self) -> bool:
        """Whether there are active subscriptions: from the cache, or one query."""
        if time.monotonic() >= self._cached_until:
            self.cache(active_subscriptions().values_list("pk", "events"))
        return bool(self._subscribers)

    def cache(self, subscribers: Iterable[tuple[UUID, list[str]]]) -> None:
        """Cache these subscriptions."""
        self._subscribers = [(pk, frozenset(events)) for pk, events in subscribers]
        self._cached_until = time.monotonic() + CACHED_S

    def forget(self) -> None:
        """Make the next call read the database."""
        self._cached_until = 0.0

    def write(self, items: Sequence[DomainEvent]) -> None:
        """One statement for all items and subscriptions; those that were deleted or switched off meanwhile drop out."""
        rows = list(_rows(items))
        pairs = [(row, pk) for row in rows for pk, events in self._subscribers if row.event in events]
        if pairs:
            _insert(pairs)


def active_subscriptions() -> QuerySet[Subscription]:
    """The subscriptions that get deliveries."""
    return Subscription.objects.filter(active=True, deleted_at=None).exclude(client__active=False)


def _rows(items: Sequence[DomainEvent]) -> Iterator[_Row]:
    for item in items:
        match item:
            case MessageReceived(message_id):
                yield _Row(EventType.MESSAGE_RECEIVED, message_id=message_id)
            case MediaSettled(message_id):
                yield _Row(EventType.MESSAGE_MEDIA, message_id=message_id)
            case StatusChanged(message_id, status, event_id) if status not in INTERNAL_STATUSES:
                yield _Row(EventType.MESSAGE_STATUS_CHANGED, message_id=message_id, message_event_id=event_id)
            case AccountEventStored(event_id):
                yield _Row(EventType.ACCOUNT_EVENT, account_event_id=event_id)


def _insert(pairs: Sequence[tuple[_Row, UUID]]) -> None:
    """A subscription of one number gets the events of that number, and those without a number."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_delivery (id, subscription_id, event, message_id, message_event_id, account_event_id,
              lane, state, created_at, due_at, give_up_at, attempts, error, log)
            SELECT t.id, s.id, t.event, t.message, t.message_event, t.account_event,
              (hashtext(coalesce(m.peer, '')) & 2147483647) %% %(lanes)s, 'pending', statement_timestamp(),
              statement_timestamp(), statement_timestamp() + interval '1 second' * %(tried_for_s)s, 0, '', '[]'
            FROM unnest(%(ids)s::uuid[], %(subscriptions)s::uuid[], %(events)s::text[], %(messages)s::uuid[],
              %(message_events)s::bigint[], %(account_events)s::bigint[])
              AS t(id, subscription, event, message, message_event, account_event)
            JOIN messaging_subscription s ON s.id = t.subscription AND s.active AND s.deleted_at IS NULL
            LEFT JOIN messaging_businessnumber n ON n.id = s.number_id
            LEFT JOIN messaging_message m ON m.id = t.message
            LEFT JOIN messaging_accountevent a ON a.id = t.account_event
            WHERE s.number_id IS NULL OR m.number_id = s.number_id
              OR (m.id IS NULL AND a.phone_number_id IN ('', n.phone_number_id))
            """,
            {
                "lanes": LANES,
                "tried_for_s": RETRY_PERIOD.total_seconds(),
                "ids": [uuid7() for _ in pairs],
                "subscriptions": [pk for _, pk in pairs],
                "events": [row.event.value for row, _ in pairs],
                "messages": [row.message_id for row, _ in pairs],
                "message_events": [row.message_event_id for row, _ in pairs],
                "account_events": [row.account_event_id for row, _ in pairs],
            },
        )


outbox = Outbox()
