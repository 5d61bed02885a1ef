"""Withdrawal: a block or opt-out cancels queued messages that no worker has claimed yet.

Pending messages are checked when the dispatcher releases them, and queued ones once more when a worker claims them: a
block may be committed between the check of a release and its commit.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from messaging.contacts.consent_checks import IS_SUPPRESSED, MessageTarget, refusals, suppressions_of
from messaging.lifecycle import Change, advance_many
from messaging.models import Contact, Message
from messaging.states import Status
from messaging.whatsapp.recipients import spellings


def withdraw_released(contact_ids: Collection[int], source: str) -> None:
    """Cancel the queued messages that these contacts' blocks and opt-outs forbid; call it in the same transaction.

    `source`: the source of the change in the trail.
    """
    suppressed = Contact.objects.filter(pk__in=contact_ids).filter(
        Q(blocked_at__isnull=False) | Q(opted_out_at__isnull=False)
    )
    identifiers = [name for names in suppressed.values_list("phone_key", "user_id") for name in names if name]
    if not identifiers:
        return
    peers = {spelling for name in identifiers for spelling in spellings(name)}
    # `advance_many` locks a row before it reads the status, so it waits for a release that is about to commit.
    rows = Message.objects.filter(
        peer__in=peers, due_at__isnull=False, outcome_at=None, status__in=[Status.PENDING, Status.QUEUED]
    ).select_related("number")
    _cancel(_refused(list(rows)), source)


def withdraw_or_allow(message_ids: Sequence[UUID], source: str) -> list[UUID]:
    """Cancel those of these queued messages that consent forbids, and return those that it allows although their
    contact is suppressed (such as a text to a contact that has opted out of marketing).

    Inside a transaction: the messages stay locked until its end.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.id FROM messaging_message m WHERE m.id = ANY(%s) AND m.status = 'queued' AND {IS_SUPPRESSED}"  # noqa: S608 - a constant
            " ORDER BY m.id FOR UPDATE",
            [list(message_ids)],
        )
        ids = [message_id for (message_id,) in cursor.fetchall()]
    if not ids:
        return []
    refused = _refused(list(Message.objects.filter(id__in=ids).select_related("number")))
    _cancel(refused, source)
    cancelled = {row.pk for row, _ in refused}
    return [message_id for message_id in ids if message_id not in cancelled]


def refusal_of(message: Message) -> str:
    """The reason why a stored message must not be sent to its contact; empty if allowed."""
    return next((reason for _, reason in _refused([message])), "")


def _cancel(refused: Iterable[tuple[Message, str]], source: str) -> None:
    now = timezone.now()
    advance_many(
        [
            Change(row.pk, Status.CANCELLED, now, source, error_title=reason, expected=Status.QUEUED)
            for row, reason in refused
        ]
    )


def _refused(rows: Sequence[Message]) -> list[tuple[Message, str]]:
    targets = {row: MessageTarget(row.peer, row.template, row.number.portfolio, row.number.waba_id) for row in rows}
    reasons = refusals(targets.values(), suppressions_of(row.peer for row in rows))
    return [(row, reasons[target]) for row, target in targets.items() if target in reasons]
