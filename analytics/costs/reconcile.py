"""A month's costs beside Meta's own count of them (`pricing_analytics`), by market and category."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from analytics.costs.accounts import billed_accounts, zone_of_account
from analytics.costs.figures import CostQuestion, Figure, figures
from analytics.rollups.markets import market_of
from messaging.accounts import MissingToken, graph_api, token_name_of
from messaging.whatsapp.errors import WhatsAppError
from messaging.whatsapp.graph import PricePoint

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Side:
    """Delivered messages and their cost. `unpriced`: those of ours without a price, which are in no cost."""

    messages: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A market and category of an account: our figures and Meta's."""

    market: str
    category: str
    ours: Side
    metas: Side

    def differs(self, tolerance: Decimal) -> bool:
        """Whether the messages differ, or the costs differ by more than this."""
        cost = abs(self.ours.cost - self.metas.cost)
        return self.ours.messages != self.metas.messages or self.ours.unpriced > 0 or cost > tolerance


@dataclass(frozen=True, slots=True)
class Comparison:
    """An account's month: from `since` until before `until`, in its time zone and its currency."""

    waba_id: str
    currency: str
    since: datetime
    until: datetime
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Unread:
    """An account whose figures Meta does not give, and the reason."""

    waba_id: str
    reason: str


def compare(month: date) -> list[Comparison | Unread]:
    """All accounts with numbers, for the month that begins with this day. One that cannot be read keeps no other from
    its comparison."""
    numbers: dict[str, list[int]] = {}
    for account in billed_accounts():
        if account.waba_id:
            numbers.setdefault(account.waba_id, []).append(account.number_id)
    return [_compare_if_read(waba_id, found, month) for waba_id, found in sorted(numbers.items())]


def _compare_if_read(waba_id: str, numbers: Sequence[int], month: date) -> Comparison | Unread:
    try:
        return _compare(waba_id, numbers, month)
    except (MissingToken, WhatsAppError, ValueError) as error:
        return Unread(waba_id, str(error))


def _compare(waba_id: str, numbers: Sequence[int], month: date) -> Comparison:
    zone = zone_of_account(waba_id)
    since = datetime(month.year, month.month, 1, tzinfo=zone)
    following = month + timedelta(days=32)
    until = datetime(following.year, following.month, 1, tzinfo=zone)
    api = graph_api(token_name_of(waba_id))
    try:
        currency = api.account(waba_id).currency
        points = api.pricing(waba_id, since, until)
    finally:
        api.close()
    question = CostQuestion([since], until, currency, ("market", "category"), {"number_id": numbers})
    return Comparison(waba_id, currency, since, until, lines_of(ours(figures(question)), metas(points)))


def ours(found: Iterable[Figure]) -> dict[Key, Side]:
    """Our figures by market and category. Free messages have their category too."""
    return {(one.group[0], one.group[1]): Side(one.messages, one.cost, one.unpriced) for one in found}


def metas(points: Iterable[PricePoint]) -> dict[Key, Side]:
    """Meta's figures by market and category. The market follows from the country."""
    found: dict[Key, Side] = {}
    for point in points:
        key = market_of(f"{point.country}."), point.category.replace("-", "_")
        side = found.get(key, Side())
        found[key] = Side(side.messages + point.volume, side.cost + point.cost)
    return found


def lines_of(left: Mapping[Key, Side], right: Mapping[Key, Side]) -> list[Line]:
    """A line for every market and category of either side. Pure."""
    return [Line(*key, left.get(key, Side()), right.get(key, Side())) for key in sorted({*left, *right})]
