"""Acceptance: the statement that stores messages as `pending`, with their first events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, models
from django.utils import timezone

from messaging.access import IdempotentRequest
from messaging.models import ApiClient, BusinessNumber, Direction, Message, OnUnknown, Priority
from messaging.states import Status
from messaging.whatsapp import outbound
from messaging.whatsapp.recipients import canonical
from waproject import tracing
from waproject.logs.context import note_messages

TEMPLATE = outbound.TEMPLATE
REFERENCE_LENGTH: int = Message._meta.get_field("reference").max_length or 0
CAMPAIGN_LENGTH: int = Message._meta.get_field("campaign").max_length or 0


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A validated message: `peer` in digits or a user id, `content` as `outbound.validate` returned it.

    `peer` may be any spelling of its number; `sent_to` is the spelling for WhatsApp (empty: the same).

    `context_wamid` names the message that this one replies to; it may be our id until `ReplyTargets.resolve` replaces
    it with the wamid.
    """

    peer: str
    type: str
    content: dict[str, object]
    number: BusinessNumber
    priority: Priority = Priority.NORMAL
    due_at: datetime | None = None
    expires_at: datetime | None = None
    reference: str = ""
    campaign: str = ""
    on_unknown: OnUnknown = OnUnknown.WAIT
    context_wamid: str = ""
    sent_to: str = ""

    @property
    def template(self) -> str:
        """The template's name; empty for other types."""
        return str(self.content["name"]) if self.type == TEMPLATE else ""


def accept(new: Sequence[NewMessage], client: ApiClient | None = None) -> list[Message]:
    """Store any number of messages, all or none, ready for the dispatcher."""
    rows = [draft(message, client) for message in new]
    store(rows)
    return rows


def draft(message: NewMessage, client: ApiClient | None = None) -> Message:
    """The row of a message, not stored yet; it has its id already."""
    now = timezone.now()
    peer, sent_to = canonical(message.peer), message.sent_to or message.peer
    return Message(
        direction=Direction.OUTBOUND,
        number=message.number,
        peer=peer,
        sent_to=sent_to if sent_to != peer else None,
        type=message.type,
        content=message.content,
        text=outbound.display_text(message.type, message.content),
        context_wamid=message.context_wamid,
        status=Status.PENDING,
        priority=message.priority,
        due_at=message.due_at or now,
        expires_at=message.expires_at,
        reference=message.reference,
        campaign=message.campaign,
        template=message.template,
        on_unknown=message.on_unknown,
        client=client,
        at=now,
        traceparent=tracing.current(),
    )


_FIELDS = {field.attname: field for field in Message._meta.concrete_fields}
# psycopg2 writes values of these types as they are: a field's own preparation would cost five calls and change nothing.
_PLAIN = {str, int, UUID, datetime, type(None)}

# One statement makes one round trip and one commit: rows, first events and answer are stored together or not at all.
# A single row gives plain values: arrays of one element cost PostgreSQL a fifth more CPU, and this process 4 %.
# A second request with the same idempotency key waits for the first one's commit and then stores nothing.
_KEY = """
  claimed AS (
    INSERT INTO messaging_idempotencykey (client_id, key, digest, answer, created_at)
    VALUES (%(key_client)s, %(key)s, %(key_digest)s, %(key_answer)s, statement_timestamp())
    ON CONFLICT DO NOTHING RETURNING id
  ),"""
_STORE = """
WITH {key}
  accepted AS (
    INSERT INTO messaging_message ({columns}) SELECT {values} {condition}
    RETURNING id, at
  )
INSERT INTO messaging_messageevent (message_id, status, at, source)
SELECT id, 'pending', at, 'api' FROM accepted ORDER BY id
"""


def store(rows: Sequence[Message], idempotent: IdempotentRequest | None = None, answer: str = "") -> bool:
    """Insert drafted rows (at least one); for an idempotent request also its key and its answer.

    Returns False if the client used the key before: nothing is stored then.
    """
    values = {name: [getattr(row, name) for row in rows] for name in _FIELDS}
    # Columns that no row sets default to NULL.
    columns = tuple(name for name, given in values.items() if any(value is not None for value in given))
    single = len(rows) == 1
    parameters: dict[str, Any] = {name: _prepared(_FIELDS[name], values[name]) for name in columns}
    if single:
        parameters = {name: value for name, (value,) in parameters.items()}
    if idempotent is not None:
        client = idempotent.client and idempotent.client.pk
        parameters.update(key_client=client, key=idempotent.key, key_digest=idempotent.digest, key_answer=answer)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_statement(columns, single, idempotent is not None), parameters)
            stored = bool(cursor.rowcount)
    except (OperationalError, InterfaceError):
        if not _is_stored_nonetheless(rows[0]):
            raise
        stored = True
    if stored:
        note_messages(row.id for row in rows)
    return stored


def _is_stored_nonetheless(row: Message) -> bool:
    """Whether the statement was committed although its connection was lost before the answer, as in a failover.

    One query on a new connection: the id is new, so a row that has it is of this request.
    """
    is_lost = connection.connection is not None and bool(connection.connection.closed)
    if not is_lost or connection.in_atomic_block:
        return False
    connection.close()
    try:
        return Message.objects.filter(pk=row.pk).exists()
    except (OperationalError, InterfaceError):
        return False


def _prepared(field: "models.Field[Any, Any]", values: Sequence[Any]) -> list[Any]:
    if isinstance(field, models.JSONField):
        return [field.get_db_prep_save(value, connection) for value in values]
    return [value if type(value) in _PLAIN else field.get_db_prep_save(value, connection) for value in values]


@cache
def _statement(columns: tuple[str, ...], single: bool, with_key: bool) -> str:
    given = [f"%({name})s::{_type(_FIELDS[name])}" for name in columns]
    return _STORE.format(
        key=_KEY if with_key else "",
        columns=", ".join(columns),
        values=", ".join(given) if single else f"* FROM unnest({', '.join(f'{value}[]' for value in given)})",
        condition="WHERE EXISTS (SELECT FROM claimed)" if with_key else "",
    )


def _type(field: "models.Field[Any, Any]") -> str:
    # Without the length: a cast to varchar(8) truncates a longer text, which the column must refuse.
    return (field.db_type(connection) or "").partition("(")[0]
