"""Media records: inserted with their message, claimed and recorded by `deliver`, deleted with the message.

Only the holder of the lease may record an attempt. The name in the storage derives from the message's id, so a file
that is stored again after a crash replaces the first.
"""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from django.utils import timezone

from messaging.access import record_action
from messaging.lifecycle import MediaSettled, publish_events
from messaging.media_states import RETRY_PERIOD, Failure, State, decide
from messaging.models import DEFAULT_TOKEN_NAME, FileRemoval, Media, Message
from messaging.traces import contexts_of
from messaging.whatsapp.inbound import Origin
from messaging.whatsapp.media import LIMITS, file_of
from messaging.whatsapp.media_api import TransferFailure, longest_download_s
from waproject.metrics.counters import MEDIA

logger = logging.getLogger(__name__)

LIVE, FROM_HISTORY = 0, 1
# Seconds that the lease allows for the storage, in addition to the transfer.
STORAGE_S = 30
ERROR_LENGTH = 300
# Whether subscribers hear of a file, of a message `g` and its contact `c`: users' files, but not of blocked people.
_IS_PUBLISHED = "g.origin = %(published)s AND c.blocked_at IS NULL"
# Queues the files of the messages `chosen` for removal by `deliver`. A killed process may have stored a file that its
# record does not name yet: it has the name that `_claim` gives it, and is removed after the lease, when no process may
# store it any more.
REMOVE_FILES = """
  INSERT INTO messaging_fileremoval (name, due_at, attempts)
  SELECT COALESCE(NULLIF(f.name, ''), to_char(f.created_at AT TIME ZONE 'UTC', 'YYYY/MM/DD/') || f.message_id),
    greatest(statement_timestamp(), f.lease_until), 0
  FROM messaging_media f JOIN chosen ON f.message_id = chosen.id
  WHERE f.state <> 'deleted' ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Download:
    """A claimed file. `max_bytes`: the size limit; `attempts`: those made before, `error`: that of the last one."""

    message_id: UUID
    media_id: str
    mime_type: str
    sha256: str
    max_bytes: int
    attempts: int
    give_up_at: datetime
    lease_until: datetime
    name: str
    # The variable of its account's access token.
    token_name: str = DEFAULT_TOKEN_NAME
    error: str = ""
    # The context of the message, while traces are on.
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the storage; `digest` is its SHA-256 in hex."""

    mime_type: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """The result of an attempt: the stored file, or the failure and its text."""

    download: Download
    stored: StoredFile | None
    failure: Failure | None = None
    error: str = ""


def storage() -> Storage:
    """The storage of media files, by the settings."""
    return storages["media"]


def limits() -> Mapping[str, int]:
    """The size limit of each kind of file, in bytes."""
    return {**LIMITS, **settings.WA_MEDIA_LIMITS}


def media_of(message: Message, base_url: str) -> dict[str, Any] | None:
    """A message's file in API answers; None if it has none. `url` is None until the file is stored."""
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
    """Insert a record for each of these new messages that has a file, in their transaction."""
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
            give_up_at=now + RETRY_PERIOD,
        )
        for message in messages
        if (found := file_of(message.type, message.content))
    ]
    if rows:
        Media.objects.bulk_create(rows)


def claim_media(most: int) -> list[Download]:
    """Claim up to `most` due files with a lease: files of new messages first, then of the chat history."""
    claimed: list[Download] = []
    for rank in (LIVE, FROM_HISTORY):
        if len(claimed) < most:
            claimed += _claim(rank, most - len(claimed))
    contexts = contexts_of(one.message_id for one in claimed)
    return [replace(one, traceparent=contexts.get(one.message_id)) for one in claimed] if contexts else claimed


def record_media(results: Sequence[DownloadResult]) -> None:
    """Record the results. A result whose lease another process has taken over changes nothing."""
    now = timezone.now()
    ordered = sorted(results, key=lambda one: one.download.message_id)
    with transaction.atomic():
        written = _write(ordered, now)
        publish_events(
            [
                MediaSettled(pk, state)
                for pk, (state, is_published) in written.items()
                if is_published and state.is_final
            ]
        )
    for pk, (state, _) in written.items():
        MEDIA.inc(state.value if state.is_final else "retry")
        if state.is_final and state is not State.STORED:
            logger.warning("media download of message %s failed: %s", pk, state)
    _remove_orphaned_files([one.download for one in ordered if one.stored and one.download.message_id not in written])


def download_again(message_ids: Sequence[UUID], who: str) -> list[UUID]:
    """Download missing files again, at once and with no attempts counted. Returns their message ids."""
    now = timezone.now()
    with transaction.atomic():
        rows = Media.objects.select_for_update(of=("self",)).filter(pk__in=message_ids)
        rows = rows.exclude(state__in=[State.STORED, State.DELETED])
        chosen = list(rows.order_by("pk").values_list("pk", flat=True))
        Media.objects.filter(pk__in=chosen).update(
            state=State.WAITING,
            due_at=now,
            give_up_at=now + RETRY_PERIOD,
            lease_until=None,
            attempts=0,
            finished_at=None,
        )
        for pk in chosen:
            record_action(who, "fetch media again", f"message {pk}")
    return chosen


def fail_abandoned_downloads() -> None:
    """Fail files whose attempts were never recorded: each one ended its process."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE messaging_media m SET state = 'failed', finished_at = statement_timestamp(), lease_until = NULL,
              error = 'No attempt was completed.'
            FROM messaging_message g LEFT JOIN messaging_contact c ON c.id = g.contact_id
            WHERE g.id = m.message_id AND m.finished_at IS NULL AND m.due_at < statement_timestamp()
              AND m.give_up_at < statement_timestamp() - interval '1 hour'
              AND m.lease_until < statement_timestamp() - interval '1 hour'
            RETURNING m.message_id, {_IS_PUBLISHED}
            """,  # noqa: S608 - a constant
            {"published": Origin.USER.value},
        )
        failed = cursor.fetchall()
        publish_events([MediaSettled(pk, State.FAILED) for pk, is_published in failed if is_published])
    MEDIA.inc(State.FAILED.value, by=float(len(failed)))


def remove_file(instance: Media, **_: object) -> None:
    """Receiver of `post_delete`: queue the file for removal by `deliver`, as REMOVE_FILES does."""
    if instance.state != State.DELETED:
        now = timezone.now()
        _queue_removal(
            instance.name or _name_of(instance.pk, instance.created_at), max(now, instance.lease_until or now)
        )


def _name_of(message_id: UUID, created_at: datetime) -> str:
    return f"{created_at.astimezone(UTC):%Y/%m/%d}/{message_id}"


def _queue_removal(name: str, due_at: datetime) -> None:
    FileRemoval.objects.bulk_create([FileRemoval(name=name, due_at=due_at)], ignore_conflicts=True)


def _claim(rank: int, most: int) -> list[Download]:
    allowed = limits()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            -- Materialised, it locks no more than its limit in any plan.
            WITH due AS MATERIALIZED (
              SELECT d.message_id, d.due_at, statement_timestamp() + interval '1 second' * k.lease_s AS until
              FROM messaging_media d JOIN unnest(%(kinds)s::text[], %(leases)s::float8[]) AS k(kind, lease_s)
                ON k.kind = d.kind
              WHERE d.finished_at IS NULL AND d.rank = %(rank)s AND d.due_at <= statement_timestamp()
                -- An attempt that ended its process has left its lease: once its time is over, it fails.
                AND (d.lease_until IS NULL OR d.give_up_at > statement_timestamp() - interval '1 hour')
              ORDER BY d.due_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED)
            UPDATE messaging_media m
            SET lease_until = due.until, due_at = due.until
            FROM due
            WHERE m.message_id = due.message_id
            RETURNING m.message_id, m.media_id, m.mime_type, m.sha256, m.kind, m.attempts, m.give_up_at, m.lease_until,
              m.created_at, m.error,
              (SELECT a.token_name FROM messaging_message o JOIN messaging_businessnumber n ON n.id = o.number_id
               JOIN messaging_account a ON a.waba_id = n.waba_id WHERE o.id = m.message_id), due.due_at
            """,
            {
                "kinds": list(allowed),
                "leases": [longest_download_s(size) + STORAGE_S for size in allowed.values()],
                "rank": rank,
                "most": most,
            },
        )
        # RETURNING has the order of the plan: a join may read the rows as they lie in the table.
        rows = sorted(cursor.fetchall(), key=itemgetter(-1))
        return [
            Download(
                message_id=pk,
                media_id=media_id,
                mime_type=mime_type,
                sha256=sha256,
                max_bytes=allowed[kind],
                attempts=attempts,
                give_up_at=give_up_at,
                lease_until=until,
                name=_name_of(pk, at),
                token_name=token_name or DEFAULT_TOKEN_NAME,
                error=error,
            )
            for pk, media_id, mime_type, sha256, kind, attempts, give_up_at, until, at, error, token_name, _ in rows
        ]


def _write(results: Sequence[DownloadResult], now: datetime) -> dict[UUID, tuple[State, bool]]:
    """The new state of each message's file, and whether it is published."""
    counted = [_counts(one) for one in results]
    decisions = [
        decide(one.failure, one.download.attempts + counts, one.download.give_up_at, now, random.random())  # noqa: S311
        for one, counts in zip(results, counted, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
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
            RETURNING m.message_id, m.state, {_IS_PUBLISHED}
            """,  # noqa: S608 - a constant
            {
                "published": Origin.USER.value,
                "ids": [one.download.message_id for one in results],
                "leases": [one.download.lease_until for one in results],
                "states": [decision.state.value for decision in decisions],
                "dues": [decision.due_at for decision in decisions],
                "counts": counted,
                "errors": [one.error[:ERROR_LENGTH] for one in results],
                "names": [one.download.name if one.stored else "" for one in results],
                "sizes": [one.stored and one.stored.size for one in results],
                "digests": [one.stored.digest if one.stored else "" for one in results],
                "mime_types": [one.stored and one.stored.mime_type for one in results],
            },
        )
        return {pk: (State(state), is_published) for pk, state, is_published in cursor.fetchall()}


def _counts(one: DownloadResult) -> int:
    """Throttling does not count as an attempt."""
    return int(one.failure is None or one.failure.cause is not TransferFailure.THROTTLED)


def _remove_orphaned_files(downloads: Sequence[Download]) -> None:
    """Remove files whose message was deleted, or whose person was erased, during the download."""
    if not downloads:
        return
    kept = Media.objects.filter(pk__in=[one.message_id for one in downloads]).exclude(state=State.DELETED)
    existing = set(kept.values_list("pk", flat=True))
    for one in downloads:
        if one.message_id not in existing:
            _remove(one.name)


def _remove(name: str) -> None:
    try:
        storage().delete(name)
    except Exception as error:  # storage back ends raise errors of any type
        logger.warning("a file could not be removed from the storage: %s", type(error).__name__)
        _queue_removal(name, timezone.now())
