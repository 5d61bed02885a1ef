"""The sync of business accounts, with their numbers, from the Graph API: read outside a transaction, stored in one.

A field that Meta's answer lacks keeps its value. The portfolio of a number, within which contacts are unique, is set
only while the number has no messages and belongs to another portfolio than the numbers before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from messaging.accounts.tokens import access_token, clear_token_cache
from messaging.models import DEFAULT_TOKEN_NAME, Account, BusinessNumber, Message
from messaging.portfolios import assign_portfolios, store_limit
from messaging.whatsapp.graph import AccountNode, GraphApi, NumberNode
from messaging.whatsapp.messaging_limits import messaging_limit

# Messages a second by Meta's throughput level.
RATES = {"STANDARD": 80, "HIGH": 1000}


@dataclass(frozen=True, slots=True)
class AccountSync:
    """A stored account and its numbers. `new`: Meta's ids of the numbers that were not known before."""

    account: Account
    numbers: tuple[BusinessNumber, ...]
    new: tuple[str, ...]


def known_accounts(api: GraphApi, token_name: str = DEFAULT_TOKEN_NAME) -> list[str]:
    """The ids of the WABAs of a token: those that it is granted for, and those of stored numbers with this token.

    Raises MissingToken and WhatsAppError.
    """
    granted = api.debug_token(access_token(token_name)).accounts()
    others = Account.objects.exclude(token_name=token_name).values("waba_id")
    ours = Account.objects.filter(token_name=token_name).values_list("waba_id", flat=True)
    named = BusinessNumber.objects.exclude(waba_id="").exclude(waba_id__in=others).values_list("waba_id", flat=True)
    stored = [*ours, *(named if token_name == DEFAULT_TOKEN_NAME else ())]
    return list(dict.fromkeys([*granted, *stored]))


def sync_account(api: GraphApi, waba_id: str, token_name: str = DEFAULT_TOKEN_NAME) -> AccountSync:
    """Ask Meta for an account and its numbers, and store all of it. Raises WhatsAppError; nothing is stored then.

    `token_name` is stored for a new account only.
    """
    read_at = _before_webhooks_of_now()
    node, numbers = api.account(waba_id), api.phone_numbers(waba_id)
    now = timezone.now()
    with transaction.atomic():
        account = _store_account(waba_id, node, token_name, now)
        known = set(BusinessNumber.objects.values_list("phone_number_id", flat=True))
        valid = _valid(numbers)
        _lock_numbers(waba_id, valid)
        rows = [_store_number(account, number, now) for number in valid]
        assign_portfolios([row.pk for row in rows])
        for limit in {found for number in numbers if (found := messaging_limit(number.messaging_limit))}:
            store_limit(waba_id, limit, read_at)
    clear_token_cache()
    return AccountSync(
        account, tuple(rows), tuple(row.phone_number_id for row in rows if row.phone_number_id not in known)
    )


def _before_webhooks_of_now() -> datetime:
    """The last moment before this second: webhooks have whole seconds, and one of this second or of a later one may
    tell of a change that Meta's answer does not have yet."""
    return timezone.now().replace(microsecond=0) - timedelta(microseconds=1)


def _store_account(waba_id: str, node: AccountNode, token_name: str, now: datetime) -> Account:
    account, _ = Account.objects.get_or_create(waba_id=waba_id, defaults={"token_name": token_name})
    facts = {
        "portfolio_id": node.portfolio_id,
        "name": node.name,
        "currency": node.currency,
        "timezone_id": node.timezone_id,
        "review_status": node.review_status,
    }
    given = {name: value for name, value in facts.items() if value}
    _fill(account, **given)
    account.synced_at = now
    # The other columns are webhooks', the template sync's and people's, who may write them at this moment.
    account.save(update_fields=[*given, "synced_at"])
    return account


def _lock_numbers(waba_id: str, nodes: Sequence[NumberNode]) -> None:
    """Lock all that the sync may write, in the order of other writers: also the numbers that share the portfolio."""
    portfolios = BusinessNumber.objects.filter(waba_id=waba_id).exclude(limited_by=None).values("limited_by")
    ours = Q(phone_number_id__in=[node.phone_number_id for node in nodes]) | Q(waba_id=waba_id)
    shared = Q(limited_by__in=portfolios)
    list(BusinessNumber.objects.select_for_update(no_key=True).filter(ours | shared).order_by("pk").values_list("pk"))


def _store_number(account: Account, node: NumberNode, now: datetime) -> BusinessNumber:
    row = BusinessNumber.objects.select_for_update(no_key=True).filter(phone_number_id=node.phone_number_id).first()
    row = row or BusinessNumber(phone_number_id=node.phone_number_id)
    if node.throughput in RATES and node.throughput != row.throughput and (row.throughput or not row.pk):
        # The pace follows Meta's level when it changes. A pace set by hand before Meta first named a level stays.
        row.rate = RATES[node.throughput]
    facts = {name: value for name, value in _facts_of(account, node).items() if value}
    _fill(row, **facts)
    row.synced_at = now
    if row.pk is None:
        row.save()
    else:
        row.save(update_fields=[*facts, "rate", "synced_at"])
    _separate(row, account)
    return row


def _facts_of(account: Account, node: NumberNode) -> dict[str, str]:
    return {
        "waba_id": account.waba_id,
        "display_phone_number": node.display_phone_number.removeprefix("+"),
        "verified_name": node.verified_name,
        "quality": node.quality,
        "throughput": node.throughput,
        "messaging_limit": node.messaging_limit,
        "status": node.status,
        "account_mode": node.account_mode,
        "name_status": node.name_status,
    }


def _separate(row: BusinessNumber, account: Account) -> None:
    """Give a number without messages the portfolio of its account, where numbers of another portfolio exist."""
    if row.portfolio or not account.portfolio_id or Message.objects.filter(number=row).exists():
        return
    others = Account.objects.exclude(portfolio_id="").exclude(portfolio_id=account.portfolio_id)
    shared = BusinessNumber.objects.filter(portfolio="", waba_id__in=others.values("waba_id"))
    if shared.exists():
        row.portfolio = account.portfolio_id
        row.save(update_fields=["portfolio"])


def _valid(numbers: Sequence[NumberNode]) -> list[NumberNode]:
    """In the order of their ids, in which new ones are inserted."""
    valid = [node for node in numbers if node.phone_number_id.isdigit() and len(node.phone_number_id) <= ID_LENGTH]
    return sorted(valid, key=lambda node: node.phone_number_id)


ID_LENGTH = 32


def _fill(row: Any, **facts: str) -> None:
    """Set the facts that Meta gave, cut to their columns."""
    for name, value in facts.items():
        if value:
            setattr(row, name, value[: row._meta.get_field(name).max_length])
