"""Holds of templates, and the release of held messages in batches.

A Hold is one row, written at once whatever it covers: the dispatcher marks messages as it reads them. Resuming sets one
field; the dispatcher clears the marks in batches, and deletes the Hold once none is left.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging.lifecycle import alert
from messaging.message_templates import APPROVED
from messaging.models import Hold, HoldKind, Message, Template

CLEARED_AT_ONCE = 2000
# A dispatcher that has read the hold just before its resumption may still mark a message, so the row stays longer.
RETENTION = timedelta(minutes=1)
REASON_LENGTH = 255
SYSTEM = "system"


def hold_template(
    name: str,
    number_id: int | None = None,
    *,
    by: str,
    reason: str = "",
    until: datetime | None = None,
    waba_id: str = "",
    language: str = "",
) -> Hold:
    """Hold a template of one number, of one account, or of all; in one language or in all. Idempotent.

    `until`: when the dispatcher resumes it; None: until `by` ends it. A hold after a refusal (`by` SYSTEM) becomes that
    of the webhook or person who sets it again. One who sets a hold of their own again can only prolong it. `is_new` of
    the result: whether the hold is new or has changed hands.
    """
    hold, hold_is_new = Hold.objects.get_or_create(
        kind=HoldKind.TEMPLATE,
        key=name,
        client=None,
        number_id=number_id,
        waba_id=waba_id,
        language=language,
        resumed_at=None,
        defaults={"by": by, "reason": reason[:REASON_LENGTH], "until": until},
    )
    if not hold_is_new and hold.by == SYSTEM != by:
        taken_over = Hold.objects.filter(pk=hold.pk, by=SYSTEM, resumed_at=None)
        hold_is_new = bool(taken_over.update(by=by, reason=reason[:REASON_LENGTH], until=until))
    elif not hold_is_new and hold.by == by != SYSTEM:
        ends_earlier = Q(until__isnull=False) if until is None else Q(until__lt=until)
        Hold.objects.filter(ends_earlier, pk=hold.pk, resumed_at=None).update(until=until)
    hold.is_new = hold_is_new
    if hold_is_new:
        alert("held", f"template:{name}", reason or f"held by {by}")
    return hold


def held_templates(waba_id: str) -> set[tuple[str, str]]:
    """Names and languages of the held templates of an account."""
    held = Hold.objects.filter(kind=HoldKind.TEMPLATE, waba_id=waba_id, resumed_at=None)
    return set(held.values_list("key", "language"))


def template_released_since(since: datetime, name: str, number_id: int, *, waba_id: str, language: str) -> bool:
    """Whether Meta has approved the template, or a hold that covered it has ended, after `since`.

    The caller has locked the account, as those who store an approval do.
    """
    ended = Hold.objects.filter(
        Q(number=None) | Q(number_id=number_id),
        kind=HoldKind.TEMPLATE,
        key__in={name, ""},
        waba_id__in={waba_id, ""},
        language__in={language, ""},
        resumed_at__gt=since,
    )
    approved = Template.objects.filter(
        account__waba_id=waba_id, name=name, language=language, status=APPROVED, approved_at__gt=since
    )
    return ended.exists() or approved.exists()


def release_template(waba_id: str, name: str, language: str, *, by: str) -> list[int]:
    """End the holds on a template of an account in one language that `by` has set; returns their ids."""
    holds = Hold.objects.filter(
        kind=HoldKind.TEMPLATE, key=name, waba_id=waba_id, language=language, by=by, resumed_at=None
    )
    ids = list(holds.values_list("pk", flat=True))
    Hold.objects.filter(pk__in=ids).update(resumed_at=Now())
    return ids


def resume_hold(hold_id: int) -> bool:
    """End a hold; False if it has ended before."""
    return bool(Hold.objects.filter(pk=hold_id, resumed_at=None).update(resumed_at=Now()))


def sweep_holds() -> None:
    """Resume holds whose `until` has passed, and clear a batch of marks of each resumed one."""
    now = timezone.now()
    if not Hold.objects.exists():
        return
    Hold.objects.filter(resumed_at=None, until__lte=now).update(resumed_at=Now())
    for hold in Hold.objects.exclude(resumed_at=None):
        is_over = hold.resumed_at is not None and hold.resumed_at < now - RETENTION
        # A locked message keeps its mark for now: without the hold, no sweep would ever clear it.
        if not clear_marks(hold.mark) and is_over and not Message.objects.filter(hold=hold.mark).exists():
            hold.delete()


def clear_marks(mark: str) -> int:
    """Make up to 2,000 messages with this mark due again, but for locked ones; returns their number."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_message SET hold = NULL WHERE id = ANY(ARRAY(
              SELECT id FROM messaging_message WHERE hold = %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
            """,
            [mark, CLEARED_AT_ONCE],
        )
        return int(cursor.rowcount)
