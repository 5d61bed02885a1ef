"""A portfolio with a messaging limit, and time that passes for it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from messaging.models import BusinessNumber, Message, OpenedCount, OpenedRecipient, PairPace, Portfolio
from messaging.outgoing.release import release
from messaging.portfolios import assign_portfolio
from tests.messaging.factories import number


def limited(users: int | None, **fields: Any) -> Portfolio:
    """The portfolio of the default number, with this limit."""
    pk = assign_portfolio(number(**fields).pk)
    Portfolio.objects.filter(pk=pk).update(users_a_day=users, tier="TIER_X")
    return Portfolio.objects.get(pk=pk)


def let_time_pass(time: timedelta) -> None:
    """Move all that counts, and what was sent, into the past; `time` in whole minutes."""
    Portfolio.objects.update(counted_from=F("counted_from") - time)
    OpenedRecipient.objects.update(opened_at=F("opened_at") - time)
    for row in OpenedCount.objects.order_by("minute"):
        OpenedCount.objects.filter(pk=row.pk).update(minute=F("minute") - time)
    PairPace.objects.all().delete()


def release_all(number_id: int | None = None) -> list[UUID]:
    """Release what may go now, and let Meta accept it."""
    ids: list[UUID] = []
    numbers = BusinessNumber.objects.all() if number_id is None else BusinessNumber.objects.filter(pk=number_id)
    for sender in numbers.order_by("pk"):
        while True:
            BusinessNumber.objects.filter(pk=sender.pk).update(tokens=1, rate=1000)
            batches = release(sender.pk)
            if not batches:
                break
            ids += [message_id for batch in batches for message_id in batch.message_ids]
            Message.objects.filter(released_at__isnull=False, outcome_at=None).update(
                status="accepted", outcome_at=timezone.now()
            )
    return ids


def holds() -> set[str]:
    """The kinds of holds of all messages that wait."""
    held = Message.objects.exclude(hold=None).values_list("hold", flat=True)
    return {hold.partition(":")[0] for hold in held if hold}
