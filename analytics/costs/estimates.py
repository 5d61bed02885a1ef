"""`?estimate=true` of a send: what its messages will cost, by the rate cards and by what this month has had so far.

It is an estimate: Meta prices a message when it is delivered, at the category that its template has then.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from analytics.costs.accounts import Account, billed_accounts
from analytics.costs.answers import money
from analytics.costs.cards import Price, prices_of
from analytics.costs.figures import FREE
from analytics.models import Charge, RateCard
from analytics.rollups.markets import market_of
from messaging.models import Message, TemplateCategory

SERVICE, TEMPLATE = "service", "template"
ENTRY_POINT = timedelta(hours=72)


class Free(StrEnum):
    """The reason why a message will be free."""

    SERVICE_TIER = "free_customer_service"
    ENTRY_POINT = "free_entry_point"


@dataclass(frozen=True, slots=True)
class Planned:
    """A message to price. `category` is empty where its template's is not known; `day` is that of the account."""

    account: Account
    market: str
    category: str
    day: date
    entry_point: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a message will cost: a price with its card, or free, or neither (no price is known)."""

    price: Decimal | None
    card: int | None = None
    free: Free | None = None


@dataclass(slots=True)
class Pricer:
    """Prices messages one after the other; each counts for those after it. Pure.

    `service` is how many service messages a number has had by month, `volumes` how many charged messages a portfolio
    has had by month, market and category. A month is its first day.
    """

    prices: Sequence[Price]
    free_service: int
    free_service_since: date
    service: Counter[tuple[int, date]] = field(default_factory=Counter)
    volumes: Counter[tuple[str, date, str, str]] = field(default_factory=Counter)

    def price(self, message: Planned) -> Estimate:
        """The estimate of the next message."""
        if message.entry_point:
            return Estimate(Decimal(0), free=Free.ENTRY_POINT)
        month = message.day.replace(day=1)
        if message.category == SERVICE and self._is_free_service(message, month):
            return Estimate(Decimal(0), free=Free.SERVICE_TIER)
        volume = message.account.portfolio, month, message.market, message.category
        before = self.volumes[volume]
        self.volumes[volume] += 1
        for price in self.prices:
            if (
                _holds(price, message)
                and price.tier_from <= before
                and (price.tier_to is None or before < price.tier_to)
            ):
                return Estimate(price.price, price.card)
        return Estimate(None)

    def _is_free_service(self, message: Planned, month: date) -> bool:
        if message.day < self.free_service_since:
            return True
        self.service[message.account.number_id, month] += 1
        return self.service[message.account.number_id, month] <= self.free_service


def _holds(price: Price, message: Planned) -> bool:
    return (
        (price.market, price.category) == (message.market, message.category)
        and price.since <= message.day
        and (price.until is None or message.day < price.until)
    )


def estimate(rows: Sequence[Message]) -> dict[str, Any]:
    """The estimate of drafted messages, as JSON; money is text. The number of queries is the same for any number."""
    known = {account.number_id: account for account in billed_accounts()}
    categories, came_by_ad = _categories(rows), _entry_points(rows)
    planned = [
        Planned(
            account=known[row.number_id],
            market=market_of(row.peer),
            category=_category(row, categories),
            day=_due(row).astimezone(ZoneInfo(known[row.number_id].zone)).date(),
            entry_point=(row.number_id, row.peer) in came_by_ad,
        )
        for row in rows
    ]
    currency = settings.COSTS_CURRENCY
    pricer = _pricer(prices_of(currency), planned)
    return _answer(planned, [pricer.price(message) for message in planned], currency)


def _answer(planned: Sequence[Planned], found: Sequence[Estimate], currency: str) -> dict[str, Any]:
    cards = RateCard.objects.in_bulk({one.card for one in found if one.card is not None})
    charged = [one for one in found if one.card is not None]
    free = sum(one.free is not None for one in found)
    priced = charged or free
    return {
        "currency": currency,
        "total": money(sum((one.price or Decimal(0) for one in found), Decimal(0))) if priced else None,
        "charged": len(charged),
        "free": free,
        "unpriced": len(found) - len(charged) - free,
        "cards": [f"{card} from {card.valid_from}" for _, card in sorted(cards.items())],
        "messages": [
            {
                "market": message.market,
                "category": message.category or None,
                "price": None if one.price is None else money(one.price),
                "free": one.free,
            }
            for message, one in zip(planned, found, strict=True)
        ],
    }


def _due(row: Message) -> datetime:
    return row.due_at or timezone.now()


def _category(row: Message, categories: Mapping[tuple[str, str], str]) -> str:
    if row.type != TEMPLATE:
        return SERVICE
    own = categories.get((row.template, row.number.waba_id)) or categories.get((row.template, ""))
    return (own or "").replace("-", "_")


def _categories(rows: Iterable[Message]) -> dict[tuple[str, str], str]:
    names = {row.template for row in rows if row.type == TEMPLATE}
    found = TemplateCategory.objects.filter(name__in=names).values_list("name", "waba_id", "category")
    return {(name, waba_id): category.lower() for name, waba_id, category in found}


def _entry_points(rows: Iterable[Message]) -> set[tuple[int, str]]:
    """Pairs of a number and a person: within 72 hours, Meta has billed a message to the person as of a free entry
    point, or the person has come by an ad.
    """
    since = timezone.now() - ENTRY_POINT
    peers = {row.peer for row in rows}
    recent = Message.objects.filter(peer__in=peers, at__gte=since)
    billed = recent.filter(direction="outbound", pricing_type=Free.ENTRY_POINT)
    came = recent.filter(direction="inbound", raw__has_key="referral")
    return {*billed.values_list("number_id", "peer"), *came.values_list("number_id", "peer")}


def _pricer(prices: Sequence[Price], planned: Sequence[Planned]) -> Pricer:
    """A pricer that knows the charges of the months in which the messages are due."""
    pricer = Pricer(prices, settings.FREE_SERVICE_MESSAGES, settings.FREE_SERVICE_MESSAGES_SINCE)
    # A portfolio's volume is that of all its accounts, each in the month of its own zone.
    portfolios = {message.account.portfolio for message in planned}
    accounts = [account for account in billed_accounts() if account.portfolio in portfolios]
    zones = {account.zone for account in accounts}
    for month, zone in product({message.day.replace(day=1) for message in planned}, zones):
        begin = datetime(month.year, month.month, 1, tzinfo=ZoneInfo(zone))
        following = (begin + timedelta(days=32)).replace(day=1)
        known = {account.number_id: account for account in accounts if account.zone == zone}
        charges = Charge.objects.filter(at__gte=begin, at__lt=following, number_id__in=known)
        sums = charges.values_list("number_id", "market", "category", "price_type").annotate(Sum("messages"))
        for number_id, market, category, price_type, messages in sums:
            if category == SERVICE and price_type in {"regular", FREE[0]}:
                pricer.service[number_id, month] += messages
            if price_type == "regular":
                pricer.volumes[known[number_id].portfolio, month, market, category] += messages
    return pricer
