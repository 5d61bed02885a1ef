"""Withdrawal: a block or opt-out cancels queued messages that no worker has claimed yet.

Pending messages are checked when the dispatcher releases them.
"""

from collections.abc import Collection, Sequence

from django.db.models import Q
from django.utils import timezone

from messaging.contacts.consent_checks import MessageTarget, refusals, suppressions_of
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
    now = timezone.now()
    advance_many(
        [
            Change(row.pk, Status.CANCELLED, now, source, error_title=reason, expected=Status.QUEUED)
            for row, reason in _refused(list(rows))
        ]
    )


def refusal_of(message: Message) -> str:
    """The reason why a stored message must not be sent to its contact; empty if allowed."""
    return next((reason for _, reason in _refused([message])), "")


def _refused(rows: Sequence[Message]) -> list[tuple[Message, str]]:
    targets = {row: MessageTarget(row.peer, row.template, row.number.portfolio, row.number.waba_id) for row in rows}
    reasons = refusals(targets.values(), suppressions_of(row.peer for row in rows))
    return [(row, reasons[target]) for row, target in targets.items() if target in reasons]
