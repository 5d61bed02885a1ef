"""Holds of templates, and the release of held messages in batches.

A Hold is one row, and holding costs no more than that: the dispatcher marks the messages as it meets them. Resuming
sets one field; the dispatcher takes the marks away in batches, and forgets the Hold once none is left.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from messaging.lifecycle import alert
from messaging.models import Hold, HoldKind

CLEARED_AT_ONCE = 2000
# A dispatcher that read the hold just before it was resumed may still mark a message: the hold is kept so much longer.
KEPT_FOR = timedelta(minutes=1)
REASON_LENGTH = 255


def hold_template(
    name: str, number_id: int | None = None, *, by: str, reason: str = "", until: datetime | None = None
) -> Hold:
    """Send nothing more of a template, from one number or from all; `until`: resumed by itself. Repeatable."""
    hold, created = Hold.objects.get_or_create(
        kind=HoldKind.TEMPLATE,
        key=name,
        client=None,
        number_id=number_id,
        resumed_at=None,
        defaults={"by": by, "reason": reason[:REASON_LENGTH], "until": until},
    )
    if created:
        alert("held", f"template:{name}", reason or f"held by {by}")
    return hold


def resume_hold(hold_id: int) -> bool:
    """Go on with what was held; False where that was done before."""
    return bool(Hold.objects.filter(pk=hold_id, resumed_at=None).update(resumed_at=timezone.now()))


def sweep_holds() -> None:
    """Resume the holds whose time is up, and take the marks of resumed ones away, a batch at a time."""
    now = timezone.now()
    if not Hold.objects.exists():
        return
    Hold.objects.filter(resumed_at=None, until__lte=now).update(resumed_at=now)
    for hold in Hold.objects.exclude(resumed_at=None):
        if not clear(hold.mark) and hold.resumed_at and hold.resumed_at < now - KEPT_FOR:
            hold.delete()


def clear(mark: str) -> int:
    """Let up to 2,000 messages with a mark be due again; returns how many there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_message SET hold = NULL WHERE id = ANY(ARRAY(
              SELECT id FROM messaging_message WHERE hold = %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
            """,
            [mark, CLEARED_AT_ONCE],
        )
        return int(cursor.rowcount)
