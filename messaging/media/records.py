"""Media records: expected with the message, claimed and settled by `deliver`, removed with it.

A try belongs to whoever holds the lease; the file's name in the storage follows from the message's id, so a file that
is stored a second time, after a kill, takes the place of the first.
"""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from django.utils import timezone

from messaging.access import note
from messaging.lifecycle import MediaSettled, publish_events
from messaging.media_states import TRIED_FOR, Failure, State, decide
from messaging.models import Media, Message
from messaging.whatsapp.inbound import Origin
from messaging.whatsapp.media import LIMITS, file_of
from messaging.whatsapp.media_api import Trouble, longest_s
from waproject.metrics.counters import MEDIA

logger = logging.getLogger(__name__)

LIVE, FROM_HISTORY = 0, 1
# Seconds for the storage, beside the transfer.
KEEPING_S = 30
ERROR_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Download:
    """One file in a thread's hands; `most` is how many bytes it may have, `attempts` were made before."""

    message_id: UUID
    media_id: str
    mime_type: str
    sha256: str
    most: int
    attempts: int
    give_up_at: datetime
    lease_until: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is in the storage now; `digest` is its SHA-256 in hex."""

    mime_type: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try: the file, or why it is not here, in our own words too."""

    download: Download
    kept: Kept | None
    failure: Failure | None = None
    words: str = ""


def storage() -> Storage:
    """Where files are kept, by the settings."""
    return storages["media"]


def limits() -> Mapping[str, int]:
    """Bytes that a file may have, by its kind."""
    return {**LIMITS, **settings.WA_MEDIA_LIMITS}


def media_of(message: Message, base_url: str) -> dict[str, Any] | None:
    """What clients are told of a message's file; None where it has none. `url` is None until the file is here."""
    media: Media | None = getattr(message, "media", None)
    if media is None:
        return None
    stored = media.state == State.STORED
    return {
        "state": media.state,
        "mime_type": media.mime_type or None,
        "size": media.size,
        "filename": media.filename or None,
        "sha256": media.digest or None,
        "url": f"{base_url}/messaging/messages/{message.pk}/media" if stored else None,
        "error": media.error or None,
    }


def expect_media(messages: Sequence[Message]) -> None:
    """A row for each of these new messages that has a file; inside their transaction, one statement at most."""
    now = timezone.now()
    rows = [
        Media(
            message=message,
            media_id=found.id,
            kind=found.kind,
            mime_type=found.mime_type[:128],
            filename=found.filename,
            sha256=found.sha256[:128],
            rank=FROM_HISTORY if message.origin == Origin.HISTORY else LIVE,
            due_at=now,
            give_up_at=now + TRIED_FOR,
        )
        for message in messages
        if (found := file_of(message.type, message.content))
    ]
    if rows:
        Media.objects.bulk_create(rows)


def claim_media(most: int) -> list[Download]:
    """At most so many files that are due, leased: what users write now, then what comes from the history."""
    claimed: list[Download] = []
    for rank in (LIVE, FROM_HISTORY):
        if len(claimed) < most:
            claimed += _claim(rank, most - len(claimed))
    return claimed


def record_media(tried: Sequence[Tried]) -> None:
    """Record the outcomes. An attempt whose lease another process has taken over changes nothing."""
    now = timezone.now()
    ordered = sorted(tried, key=lambda one: one.download.message_id)
    with transaction.atomic():
        written = _write(ordered, now)
        publish_events([MediaSettled(pk, state) for pk, (state, told) in written.items() if told and state.is_final])
    for pk, (state, _) in written.items():
        MEDIA.inc(state.value if state.is_final else "retry")
        if state.is_final and state is not State.STORED:
            logger.warning("the file of message %s will not come: %s", pk, state)
    _remove_homeless([one.download for one in ordered if one.kept and one.download.message_id not in written])


def fetch_again(message_ids: Sequence[UUID], who: str) -> list[UUID]:
    """Ask Meta again for files that did not come. Returns which; those that wait are tried at once."""
    now = timezone.now()
    with transaction.atomic():
        rows = Media.objects.select_for_update(of=("self",)).filter(pk__in=message_ids).exclude(state=State.STORED)
        chosen = list(rows.order_by("pk").values_list("pk", flat=True))
        Media.objects.filter(pk__in=chosen).update(
            state=State.WAITING, due_at=now, give_up_at=now + TRIED_FOR, lease_until=None, attempts=0, finished_at=None
        )
        for pk in chosen:
            note(who, "fetch media again", f"message {pk}")
    return chosen


def tidy_media() -> None:
    """Fail files whose attempts were never recorded, because each one killed its process."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_media SET state = 'failed', finished_at = statement_timestamp(), lease_until = NULL,
              error = 'No try came to an end.'
            WHERE finished_at IS NULL AND give_up_at < statement_timestamp() - interval '1 hour'
              AND lease_until < statement_timestamp() - interval '1 hour' AND due_at < statement_timestamp()
            """
        )
        MEDIA.inc(State.FAILED.value, by=float(cursor.rowcount))


def remove_file(instance: Media, **_: object) -> None:
    """For Django's `post_delete`: the file goes once its row is gone for good."""
    if instance.name:
        name = instance.name
        transaction.on_commit(lambda: _remove(name), robust=True)


def _claim(rank: int, most: int) -> list[Download]:
    allowed = limits()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_media m
            SET lease_until = l.until, due_at = l.until
            FROM (
              SELECT d.message_id, statement_timestamp() + interval '1 second' * k.lease_s AS until
              FROM messaging_media d JOIN unnest(%(kinds)s::text[], %(leases)s::float8[]) AS k(kind, lease_s)
                ON k.kind = d.kind
              WHERE d.finished_at IS NULL AND d.rank = %(rank)s AND d.due_at <= statement_timestamp()
              ORDER BY d.due_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED) l
            WHERE m.message_id = l.message_id
            RETURNING m.message_id, m.media_id, m.mime_type, m.sha256, m.kind, m.attempts, m.give_up_at, m.lease_until,
              m.created_at
            """,
            {
                "kinds": list(allowed),
                "leases": [longest_s(size) + KEEPING_S for size in allowed.values()],
                "rank": rank,
                "most": most,
            },
        )
        return [
            Download(
                pk, media_id, mime_type, sha256, allowed[kind], attempts, give_up_at, lease_until, f"{at:%Y/%m/%d}/{pk}"
            )
            for pk, media_id, mime_type, sha256, kind, attempts, give_up_at, lease_until, at in cursor.fetchall()
        ]


def _write(tried: Sequence[Tried], now: datetime) -> dict[UUID, tuple[State, bool]]:
    """By message, what it was brought to, and whether anybody is told of it."""
    counted = [_counts(one) for one in tried]
    decisions = [
        decide(one.failure, one.download.attempts + counts, one.download.give_up_at, now, random.random())  # noqa: S311
        for one, counts in zip(tried, counted, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_media m SET
              state = t.state, due_at = coalesce(t.due_at, m.due_at), lease_until = NULL, error = t.error,
              finished_at = CASE WHEN t.state <> 'waiting' THEN statement_timestamp() END,
              attempts = least(m.attempts + t.counts, 32767),
              name = t.name, size = coalesce(t.size, m.size), digest = t.digest,
              mime_type = coalesce(t.mime_type, m.mime_type)
            FROM unnest(%(ids)s::uuid[], %(leases)s::timestamptz[], %(states)s::text[], %(dues)s::timestamptz[],
              %(counts)s::int[], %(errors)s::text[], %(names)s::text[], %(sizes)s::bigint[], %(digests)s::text[],
              %(mime_types)s::text[]) AS t(id, lease, state, due_at, counts, error, name, size, digest, mime_type)
            JOIN messaging_message g ON g.id = t.id LEFT JOIN messaging_contact c ON c.id = g.contact_id
            WHERE m.message_id = t.id AND m.lease_until = t.lease AND m.finished_at IS NULL
            RETURNING m.message_id, m.state, g.origin = %(told)s AND c.blocked_at IS NULL
            """,
            {
                "told": Origin.USER.value,
                "ids": [one.download.message_id for one in tried],
                "leases": [one.download.lease_until for one in tried],
                "states": [decision.state.value for decision in decisions],
                "dues": [decision.due_at for decision in decisions],
                "counts": counted,
                "errors": [one.words[:ERROR_LENGTH] for one in tried],
                "names": [one.download.name if one.kept else "" for one in tried],
                "sizes": [one.kept and one.kept.size for one in tried],
                "digests": [one.kept.digest if one.kept else "" for one in tried],
                "mime_types": [one.kept and one.kept.mime_type for one in tried],
            },
        )
        return {pk: (State(state), told) for pk, state, told in cursor.fetchall()}


def _counts(one: Tried) -> int:
    """To be asked to wait is no attempt."""
    return int(one.failure is None or one.failure.why is not Trouble.THROTTLED)


def _remove_homeless(downloads: Sequence[Download]) -> None:
    """What was stored for a message that was deleted meanwhile."""
    if not downloads:
        return
    there = set(Media.objects.filter(pk__in=[one.message_id for one in downloads]).values_list("pk", flat=True))
    for one in downloads:
        if one.message_id not in there:
            _remove(one.name)


def _remove(name: str) -> None:
    try:
        storage().delete(name)
    except Exception as error:  # whatever a storage raises: the row is gone, and nobody is helped by a failure here
        logger.error("a file could not be removed from the storage: %s", type(error).__name__)
