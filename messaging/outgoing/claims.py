"""Claims: a worker leases the rows of a release before it calls."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from messaging.contacts import IS_MARKETING, IS_SUPPRESSED, withdraw_or_allow
from messaging.lifecycle import retry_on_deadlock
from messaging.models import DEFAULT_TOKEN_NAME, OnUnknown, Priority
from messaging.models.messages import MAX_COUNT
from messaging.outgoing.release import Release
from messaging.traces import contexts_of
from messaging.whatsapp.outbound.template import language_of

logger = logging.getLogger(__name__)

# The lease of a claimed row: a call (20 s) and the wait for a free call of its process. The shorter it is, the sooner
# the rows of a killed worker are settled.
LEASE_S = 45


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process may send until `lease_until`."""

    message_id: UUID
    release_id: UUID
    number_id: int
    phone_number_id: str
    peer: str
    type: str
    content: dict[str, object]
    attempts: int
    lease_until: datetime
    # The number of this call, from 1, for its Attempt.
    call: int = 1
    capped: bool = False
    fail_unknown: bool = False
    # The number's latest outcomes were unknown: this outcome ends the streak or prolongs it.
    has_unknown_streak: bool = False
    context_wamid: str = ""
    # The spelling of `peer` for the Cloud API, if it differs.
    sent_to: str | None = None
    # When the call may start, in seconds of time.monotonic(); and Meta's limit of the number in messages a second.
    call_at: float = 0.0
    rate: int = 1000
    # Late calls of a number start in this order (`Priority`), the lowest first.
    priority: int = Priority.NORMAL
    # The trace context of the request that created it, while traces are on.
    traceparent: str | None = None
    # The variable of its account's access token.
    token_name: str = DEFAULT_TOKEN_NAME
    # A marketing template of a number that sends them by the Marketing Messages API.
    by_marketing_api: bool = False
    # It must not be sent after this time.
    expires_at: datetime | None = None

    @property
    def claimed_at(self) -> datetime:
        """The time of the claim by the database's clock; the call begins later."""
        return self.lease_until - timedelta(seconds=LEASE_S)

    @property
    def to(self) -> str:
        """The recipient as the Cloud API gets it."""
        return self.sent_to or self.peer

    @property
    def template(self) -> str:
        """The template's name; empty for other types."""
        return str(self.content.get("name", "")) if self.type == "template" else ""

    @property
    def language(self) -> str:
        """The template's language; empty for other types."""
        return language_of(self.content) if self.type == "template" else ""


def claim(batches: Sequence[Release]) -> list[Claimed]:
    """Lease the rows of these releases. Skips rows whose status has changed, so a duplicate task claims nothing.

    Rows whose contact was blocked or opted out since the release are skipped too; the ones that consent forbids are
    cancelled, the others are claimed in a second statement.
    """
    rows = _claim(batches, f"NOT {IS_SUPPRESSED}")
    if len(rows) < sum(len(batch.message_ids) for batch in batches):
        try:
            rows += _claim_suppressed(batches)
        except (DatabaseError, InterfaceError) as error:
            if not rows:
                raise
            # The rows have their leases: without calls their outcomes would be unknown. The others are released again.
            logger.warning("messages to blocked or opted-out contacts were not claimed: %s", type(error).__name__)
    return rows


@retry_on_deadlock
def _claim_suppressed(batches: Sequence[Release]) -> list[Claimed]:
    """Cancel the rows that consent forbids, and lease the others whose contact is blocked or has opted out."""
    ids = [message_id for batch in batches for message_id in batch.message_ids]
    with transaction.atomic():
        allowed = withdraw_or_allow(ids, "worker")
        return _claim(batches, "m.id = ANY(%(allowed)s::uuid[])", allowed) if allowed else []


_CLAIM = f"""
WITH locked AS (
  SELECT m.id, m.number_id FROM messaging_message m
  JOIN unnest(%(ids)s::uuid[], %(releases)s::uuid[]) AS g(id, release_id) ON m.id = g.id
  WHERE m.release_id = g.release_id AND m.status = 'queued' ORDER BY m.id FOR UPDATE OF m
), claimed AS (
  UPDATE messaging_message m SET status = 'sending', updated_at = statement_timestamp(),
    lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
    releases = 0, calls = least(m.calls + 1, {MAX_COUNT})
  FROM locked l, messaging_businessnumber n
  WHERE m.id = l.id AND m.status = 'queued' AND n.id = l.number_id
    AND n.paused_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > statement_timestamp())
    AND {{condition}}
  RETURNING m.id, m.release_id, m.number_id, n.phone_number_id, m.peer, m.type, m.content, m.attempts,
    m.lease_until, m.calls, m.capped_at, m.on_unknown, n.failures, m.context_wamid, m.sent_to,
    m.call_at, n.rate, m.priority,
    (SELECT a.token_name FROM messaging_account a WHERE a.waba_id = n.waba_id) AS token_name,
    n.marketing_api AND {IS_MARKETING} AS by_marketing_api, m.expires_at
), logged AS (
  INSERT INTO messaging_messageevent (message_id, status, at, source)
  SELECT id, 'sending', statement_timestamp(), 'worker' FROM claimed
)
SELECT id, release_id, number_id, phone_number_id, peer, type, content::text, attempts, lease_until, calls,
  capped_at IS NOT NULL, on_unknown, failures > 0, context_wamid, sent_to,
  COALESCE(extract(epoch FROM call_at - statement_timestamp()), 0)::float8, rate, priority, token_name,
  by_marketing_api, expires_at
FROM claimed
"""  # noqa: S608 - constants of ours


@retry_on_deadlock
def _claim(batches: Sequence[Release], condition: str, allowed: Sequence[UUID] = ()) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM.format(condition=condition),
            {
                "allowed": list(allowed),
                "ids": [message_id for batch in batches for message_id in batch.message_ids],
                "releases": [batch.release_id for batch in batches for _ in batch.message_ids],
                "lease": LEASE_S,
            },
        )
        rows = cursor.fetchall()
    now = time.monotonic()
    return [
        Claimed(
            message_id, release_id, number_id, phone_number_id, peer, kind, json.loads(content), attempts, lease_until,
            call, capped, on_unknown == OnUnknown.FAIL, has_unknown_streak, context_wamid, sent_to,
            now + call_in, rate, priority, None, token_name or DEFAULT_TOKEN_NAME, by_marketing_api,
            expires_at
        )
        for message_id, release_id, number_id, phone_number_id, peer, kind, content, attempts, lease_until, call,
            capped, on_unknown, has_unknown_streak, context_wamid, sent_to, call_in, rate, priority, token_name,
            by_marketing_api, expires_at in rows
    ]  # fmt: skip


def with_contexts(claimed: Sequence[Claimed]) -> Sequence[Claimed]:
    """The same messages with their trace contexts, while traces are on."""
    contexts = contexts_of(one.message_id for one in claimed)
    return [replace(one, traceparent=contexts.get(one.message_id)) for one in claimed] if contexts else claimed
