"""Statuses: matched by our id, then by wamid; unmatched ones are kept as orphans."""

import json
from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from messaging.contacts import record_billed_templates
from messaging.incoming.business_numbers import fill_in, number_details
from messaging.lifecycle import Change, advance_many
from messaging.models import OrphanStatus
from messaging.outgoing import retry_failed_statuses
from messaging.states import FROM_META, Status
from messaging.whatsapp.inbound import StatusUpdate, normalise
from messaging.whatsapp.inbound.envelope import FIELD, OBJECT

# Meta repeats webhooks for seven days; an orphan that is older belongs to another system.
ORPHAN_RETENTION = "7 days"
SWEEP_ROWS = 500
# A sweep looks at this many of the newest orphans, and at as many others, those after the ones of the sweep before:
# the statuses of another system that sends from the same number are orphans for a week, and may be millions.
LOOKED_AT = 2000
DELETED_AT_ONCE = 1000
_looked_until = 0  # an id; of this process
MAX_CODE = 2**31 - 1  # of a PostgreSQL integer


def apply_statuses(updates: Sequence[StatusUpdate]) -> None:
    """Apply statuses to their messages; statuses without a stored message are kept as orphans."""
    if not updates:
        return
    found = _match(updates)
    matched = [(update, message_id) for update in updates if (message_id := found.get(_identity(update)))]
    _keep_orphans([update for update in updates if _identity(update) not in found])
    changes = [change for update, message_id in matched if (change := _change(update, message_id))]
    record_billed_templates(matched)
    retry_failed_statuses(advance_many(changes))


def _identity(update: StatusUpdate) -> tuple[str, str]:
    return update.wamid, update.callback_data or ""


def _match(updates: Sequence[StatusUpdate]) -> dict[tuple[str, str], UUID]:
    """The message of each update: by our id (callback data) and business number, else by wamid.

    Also fills in the account id of numbers that lack it.
    """
    ids = [_our_id(update) for update in updates]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.id, m.wamid, n.phone_number_id, n.waba_id <> '' FROM messaging_message m
              JOIN messaging_businessnumber n ON n.id = m.number_id
              WHERE m.id = ANY(%(ids)s::uuid[]) OR m.wamid = ANY(%(wamids)s)
            UNION
            SELECT m.id, a.wamid, n.phone_number_id, n.waba_id <> '' FROM messaging_attempt a
              JOIN messaging_message m ON m.id = a.message_id JOIN messaging_businessnumber n ON n.id = m.number_id
              WHERE a.wamid = ANY(%(wamids)s)
            """,
            {"ids": [i for i in ids if i], "wamids": [update.wamid for update in updates]},
        )
        rows = cursor.fetchall()
    incomplete = {number for _, _, number, is_complete in rows if not is_complete}
    fill_in(number_details(update) for update in updates if update.waba_id and update.phone_number_id in incomplete)
    by_id = {(message_id, number): message_id for message_id, _, number, _ in rows}
    by_wamid = {wamid: message_id for message_id, wamid, _, _ in rows if wamid}
    found: dict[tuple[str, str], UUID] = {}
    for update, our_id in zip(updates, ids, strict=True):
        message_id = (our_id and by_id.get((our_id, update.phone_number_id or ""))) or by_wamid.get(update.wamid)
        if message_id:
            found[_identity(update)] = message_id
    return found


def _our_id(update: StatusUpdate) -> UUID | None:
    try:
        return UUID(update.callback_data or "")
    except ValueError:
        return None


def _change(update: StatusUpdate, message_id: UUID) -> Change | None:
    status = FROM_META.get(update.status)
    now = timezone.now()
    if status is None:  # `deleted`: a legacy value without meaning for delivery
        return None
    return Change(
        message_id,
        status,
        min(update.timestamp or now, now),
        "webhook",
        wamid=update.wamid,
        error_code=update.error_code if abs(update.error_code or 0) <= MAX_CODE else None,
        error_title=update.error_title or ("failed" if status is Status.FAILED else ""),
        key=":".join(filter(None, (update.wamid, update.status, update.participant))),
        pricing=update.pricing,
        # A failure for one member of a group is logged and fails nothing: no outbound message is ever `received`.
        expected=Status.RECEIVED if update.participant and status is Status.FAILED else None,
    )


def _keep_orphans(updates: Sequence[StatusUpdate]) -> None:
    rows = {
        (update.wamid, update.status, update.participant or ""): OrphanStatus(
            wamid=update.wamid,
            phone_number_id=(update.phone_number_id or "")[:32],
            callback_data=(update.callback_data or "")[:512],
            status=update.status[:20],
            participant=(update.participant or "")[:140],
            raw=update.raw,
            at=update.timestamp or timezone.now(),
        )
        for update in updates
    }
    if rows:
        OrphanStatus.objects.bulk_create([rows[key] for key in sorted(rows)], ignore_conflicts=True)


# Not EXISTS, for which PostgreSQL may build a hash table of all messages.
_TAKE = """
DELETE FROM messaging_orphanstatus o WHERE o.id = ANY(ARRAY(
  SELECT o.id FROM messaging_orphanstatus o
  WHERE o.id = ANY(ARRAY(
    (SELECT id FROM messaging_orphanstatus WHERE id > %(after)s ORDER BY id LIMIT %(looked_at)s)
    UNION (SELECT id FROM messaging_orphanstatus ORDER BY received_at DESC LIMIT %(looked_at)s)))
  AND ((SELECT m.id FROM messaging_message m WHERE m.wamid = o.wamid LIMIT 1) IS NOT NULL
    OR (SELECT a.id FROM messaging_attempt a WHERE a.wamid = o.wamid LIMIT 1) IS NOT NULL)
  ORDER BY o.id LIMIT %(rows)s FOR UPDATE SKIP LOCKED))
RETURNING o.raw::text, o.phone_number_id
"""


def sweep_orphans() -> None:
    """Apply the orphans whose message has been stored since, and delete those older than seven days: a part of them."""
    global _looked_until  # noqa: PLW0603 - what is left is looked at by the next sweep
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM messaging_orphanstatus WHERE id = ANY(ARRAY(
              SELECT id FROM messaging_orphanstatus WHERE received_at < statement_timestamp() - %s::interval
              ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED))
            """,
            [ORPHAN_RETENTION, DELETED_AT_ONCE],
        )
        cursor.execute(
            """
            SELECT max(id), count(*) FROM (
              SELECT id FROM messaging_orphanstatus WHERE id > %s ORDER BY id LIMIT %s) part
            """,
            [_looked_until, LOOKED_AT],
        )
        last, looked_at = cursor.fetchone()
        cursor.execute(_TAKE, {"after": _looked_until, "looked_at": LOOKED_AT, "rows": SWEEP_ROWS})
        rows = cursor.fetchall()
        apply_statuses([update for raw, number in rows for update in _renormalised(json.loads(raw), number)])
    if len(rows) < SWEEP_ROWS:
        _looked_until = last if looked_at == LOOKED_AT else 0


def _renormalised(raw: object, phone_number_id: str) -> tuple[StatusUpdate, ...]:
    """Normalise an orphan again, as if Meta had just sent it."""
    value = {"metadata": {"phone_number_id": phone_number_id}, "statuses": [raw]}
    return normalise({"object": OBJECT, "entry": [{"changes": [{"field": FIELD, "value": value}]}]}).statuses
