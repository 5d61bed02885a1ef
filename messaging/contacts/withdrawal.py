"""Withdrawal: a block or an opt-out also cancels what has been released and no worker has claimed yet.

A pending message is checked when the dispatcher releases it, so that the contact's last word before that counts.
"""

from collections.abc import Collection, Sequence

from django.db.models import Q
from django.utils import timezone

from messaging.contacts.consent_checks import Addressed, refusals, stops_of
from messaging.lifecycle import Change, advance_many
from messaging.models import Contact, Message
from messaging.states import Status
from messaging.whatsapp.recipients import spellings


def withdraw_released(contact_ids: Collection[int], source: str) -> None:
    """Cancel the queued messages that these contacts' blocks and opt-outs forbid. Inside their transaction.

    `source`: who says so, for the trail.
    """
    stopped = Contact.objects.filter(pk__in=contact_ids).filter(
        Q(blocked_at__isnull=False) | Q(opted_out_at__isnull=False)
    )
    names = [name for names in stopped.values_list("phone_key", "user_id") for name in names if name]
    if not names:
        return
    peers = {spelling for name in names for spelling in spellings(name)}
    # A release that is about to commit is waited for: the row is locked before its state is looked at.
    rows = Message.objects.filter(
        peer__in=peers, due_at__isnull=False, outcome_at=None, status__in=[Status.PENDING, Status.QUEUED]
    ).select_related("number")
    now = timezone.now()
    advance_many(
        [
            Change(row.pk, Status.CANCELLED, now, source, error_title=reason, expected=Status.QUEUED)
            for row, reason in _refused(list(rows))
        ]
    )


def refusal_of(message: Message) -> str:
    """The reason why its contact must not get a stored message; empty if allowed."""
    return next((reason for _, reason in _refused([message])), "")


def _refused(rows: Sequence[Message]) -> list[tuple[Message, str]]:
    addressed = [Addressed(row.peer, row.template, row.number.portfolio, row.number.waba_id) for row in rows]
    reasons = refusals(addressed, stops_of(row.peer for row in rows))
    return [(row, reason) for row, reason in zip(rows, reasons, strict=True) if reason]
