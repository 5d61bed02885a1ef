"""Budgets: the check of what their messages have cost.

The rollup sweep checks them every 15 seconds. Costs are counted from delivered messages, so messages that are on their
way when a budget is spent are not held back: docs/costs.md, "Budgets", says how late a hold may come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from analytics.costs.figures import CostQuestion, figures, total
from analytics.models import Budget, BudgetPeriod, BudgetState, Charge
from analytics.rollups import buckets_where, view_of
from messaging.outgoing import BudgetScope, hold_over_budget

# A quarter of an hour whose messages may still be delivered is counted again after this time while there are budgets.
STALE_AFTER = timedelta(minutes=5)
_BY_STATUS = view_of({"status"})
_LOCK = 0x6275646765  # "budge", of no meaning but to be the same in every process

_IS_STALE = """
b.dirty_since IS NOT NULL AND b.due_at > statement_timestamp() AND b.counted_at <= %(stale)s
  AND (b.start >= %(recent)s OR EXISTS (
    SELECT FROM analytics_rollup r JOIN analytics_dimensions d ON d.id = r.dimensions_id
    WHERE r.minutes = 15 AND r.view = %(view)s AND r.start = b.start AND d.direction = 'outbound'
      AND d.status IN ('pending', 'queued', 'sending', 'accepted', 'sent')))
"""
_MAKE_DUE = f"""
UPDATE analytics_bucket d SET due_at = statement_timestamp()
FROM ({buckets_where(_IS_STALE)}) AS chosen WHERE d.start = chosen.start
"""  # noqa: S608 - constants of ours


@dataclass(frozen=True, slots=True)
class Spending:
    """The cost of a budget's messages, and the number of those without a price."""

    spent: Decimal
    unpriced: int


def decide(spent: Decimal, amount: Decimal, warn_share: Decimal) -> BudgetState:
    """The state of a budget. A budget is spent when nothing is left. Pure."""
    if spent >= amount:
        return BudgetState.SPENT
    return BudgetState.WARNED if spent >= amount * warn_share else BudgetState.FINE


def check_budgets() -> None:
    """Check all active budgets and hold those that are spent. One of several workers does it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return
        now = timezone.now()
        spent: dict[BudgetScope, str] = {}
        budgets = list(Budget.objects.filter(active=True))
        found = spendings(budgets, now)
        for budget in budgets:
            spending = found[budget.pk]
            state = decide(spending.spent, budget.amount, budget.warn_share)
            Budget.objects.filter(pk=budget.pk).update(
                spent=spending.spent, unpriced=spending.unpriced, state=state, checked_at=now
            )
            if state is BudgetState.SPENT:
                spent[BudgetScope(budget.client_id, budget.campaign)] = (
                    f"the budget of {budget.amount.normalize():f} {budget.currency} is spent"
                )
        Budget.objects.filter(active=False).exclude(state=BudgetState.FINE).update(state=BudgetState.FINE)
        hold_over_budget(spent)
    if budgets:
        make_quarters_due(now)


def make_quarters_due(now: datetime) -> None:
    """Make quarters due whose messages may be delivered now, before they would be due."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_DUE, {"stale": now - STALE_AFTER, "recent": now - timedelta(days=1), "view": _BY_STATUS})


def spendings(budgets: Sequence[Budget], now: datetime) -> dict[int, Spending]:
    """What the messages of each budget have cost in its period so far, by its key.

    Budgets of one currency and period are one question, however many there are.
    """
    together: dict[tuple[str, str], list[Budget]] = {}
    for budget in budgets:
        together.setdefault((budget.currency, budget.period), []).append(budget)
    found: dict[int, Spending] = {}
    for (currency, period), these in together.items():
        since = month_of(now) if period == BudgetPeriod.MONTH else first_charge() or now
        question = CostQuestion([since], now + timedelta(days=1), currency, ("client_id", "campaign"), _only(these))
        costs = figures(question)
        for budget in these:
            whole = total([one for one in costs if _is_of(budget, *one.group)])
            found[budget.pk] = Spending(whole.cost, whole.unpriced)
    return found


def _only(budgets: Sequence[Budget]) -> dict[str, list[Any]]:
    """Filters that leave out charges of no budget."""
    if all(budget.campaign for budget in budgets):
        return {"campaign": sorted({budget.campaign for budget in budgets})}
    if all(budget.client_id is not None for budget in budgets):
        return {"client_id": sorted({budget.client_id for budget in budgets if budget.client_id is not None})}
    return {}


def _is_of(budget: Budget, client_id: int, campaign: str) -> bool:
    return budget.client_id in {None, client_id} and budget.campaign in {"", campaign}


def month_of(now: datetime) -> datetime:
    """When the calendar month began, in TIME_ZONE."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def first_charge() -> datetime | None:
    """When the first message of all was delivered."""
    return Charge.objects.order_by("at").values_list("at", flat=True).first()


def budgets_near_limit() -> dict[str, bool]:
    """The active budgets that warn or are spent, by name; whether each is spent."""
    pressed = Budget.objects.filter(active=True).exclude(state=BudgetState.FINE).select_related("client")
    return {str(budget): budget.state == BudgetState.SPENT for budget in pressed}
