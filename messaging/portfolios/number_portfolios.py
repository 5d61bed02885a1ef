"""The portfolio of each number, with its limit, from the Graph API and from webhooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from messaging.models import Account, BusinessNumber, Portfolio
from messaging.portfolios.budget import counted_from
from messaging.portfolios.opened_recipients import copy_openings, lock_count
from messaging.whatsapp.messaging_limits import MessagingLimit, messaging_limit

# The keys of webhook values that hold the limit, the newest first.
_KEYS: Mapping[str, Sequence[str]] = {
    "business_capability_update": ("max_daily_conversations_per_business", "max_daily_conversation_per_phone"),
    "phone_number_quality_update": ("max_daily_conversations_per_business", "current_limit"),
}


def read_limit_event(kind: str, value: object) -> MessagingLimit | None:
    """The limit that a webhook names; None for most."""
    keys = _KEYS.get(kind, ()) if isinstance(value, dict) else ()
    found = (messaging_limit(value.get(key)) for key in keys if isinstance(value, dict))
    return next(filter(None, found), None)


def store_limit(waba_id: str, limit: MessagingLimit, at: datetime) -> None:
    """Store the limit of the portfolios of an account's numbers, unless a later one is known."""
    ours = BusinessNumber.objects.filter(waba_id=waba_id)
    if not waba_id or not ours.exists():
        return
    assign_portfolios(list(ours.values_list("pk", flat=True)))
    with transaction.atomic():
        shared = Q(limited_by__in=ours.values("limited_by"))
        numbers = list(BusinessNumber.objects.select_for_update(no_key=True).filter(shared).order_by("pk"))
        later = Q(limit_at=None) | Q(limit_at__lte=at)
        portfolios = Portfolio.objects.filter(later, pk__in={number.limited_by_id for number in numbers})
        pks = list(portfolios.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        Portfolio.objects.filter(pk__in=pks).update(tier=limit.tier, users_a_day=limit.users, limit_at=at)
        BusinessNumber.objects.filter(limited_by_id__in=pks).exclude(messaging_limit=limit.tier).update(
            messaging_limit=limit.tier
        )


def assign_portfolio(number_id: int) -> int:
    """The portfolio of a number that has none yet."""
    return assign_portfolios([number_id])[number_id]


def assign_portfolios(number_ids: Sequence[int]) -> dict[int, int]:
    """Find the portfolios of these numbers, and store them; returns their pks by the numbers'.

    Once Meta names another portfolio than the one before, the recipients of both count in it.
    """
    placed: dict[int, int] = {}
    with transaction.atomic():
        numbers = BusinessNumber.objects.select_for_update(no_key=True, of=("self",)).select_related("limited_by")
        for number in numbers.filter(pk__in=number_ids).order_by("pk"):
            before, key = number.limited_by, _key_of(number)
            if before is not None and before.key == key:
                placed[number.pk] = before.pk
                continue
            portfolio, _ = Portfolio.objects.get_or_create(
                key=key, defaults={"counted_from": counted_from(timezone.now())}
            )
            if before is not None:
                _join(before, portfolio)
            BusinessNumber.objects.filter(pk=number.pk).update(limited_by=portfolio)
            placed[number.pk] = portfolio.pk
    return placed


def _key_of(number: BusinessNumber) -> str:
    account = Account.objects.filter(waba_id=number.waba_id).first() if number.waba_id else None
    return (account.portfolio_id if account else "") or number.portfolio or number.waba_id


def _join(before: Portfolio, portfolio: Portfolio) -> None:
    with connection.cursor() as cursor:
        for pk in sorted((before.pk, portfolio.pk)):
            lock_count(cursor, pk)
        copy_openings(cursor, before.pk, portfolio.pk)
    if portfolio.limit_at is None:
        facts: dict[str, Any] = {name: getattr(before, name) for name in ("tier", "users_a_day", "limit_at")}
        Portfolio.objects.filter(pk=portfolio.pk).update(**facts)
