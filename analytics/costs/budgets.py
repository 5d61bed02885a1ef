"""Budgets: the check of what their messages have cost.

The rollup sweep checks them every 15 seconds. Costs are counted from delivered messages, so messages that are on their
way when a budget is spent are not held back: docs/costs.md, "Budgets", says how late a hold may come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from analytics.costs.figures import CostQuestion, figures, total
from analytics.models import Budget, BudgetPeriod, BudgetState, Charge
from messaging.outgoing import Spender, hold_spenders

# A quarter of an hour whose messages may still be delivered is counted again after this time while there are budgets.
STALE_AFTER = timedelta(minutes=5)
_LOCK = 0x6275646765  # "budge", of no meaning but to be the same in every process

_MAKE_DUE = """
UPDATE analytics_bucket b SET due_at = statement_timestamp()
WHERE b.dirty_since IS NOT NULL AND b.due_at > statement_timestamp() AND b.counted_at <= %(stale)s
  AND (b.start >= %(recent)s OR EXISTS (
    SELECT FROM analytics_rollup r JOIN analytics_dimensions d ON d.id = r.dimensions_id
    WHERE r.minutes = 15 AND r.start = b.start AND d.direction = 'outbound'
      AND d.status IN ('pending', 'queued', 'sending', 'accepted', 'sent')))
"""


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
        spent: dict[Spender, str] = {}
        budgets = list(Budget.objects.filter(active=True))
        for budget in budgets:
            spending = spending_of(budget, now)
            state = decide(spending.spent, budget.amount, budget.warn_share)
            Budget.objects.filter(pk=budget.pk).update(
                spent=spending.spent, unpriced=spending.unpriced, state=state, checked_at=now
            )
            if state is BudgetState.SPENT:
                spent[Spender(budget.client_id, budget.campaign)] = (
                    f"the budget of {budget.amount.normalize():f} {budget.currency} is spent"
                )
        Budget.objects.filter(active=False).exclude(state=BudgetState.FINE).update(state=BudgetState.FINE)
        hold_spenders(spent)
    if budgets:
        make_quarters_due(now)


def make_quarters_due(now: datetime) -> None:
    """Make quarters due whose messages may be delivered now, before they would be due."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_DUE, {"stale": now - STALE_AFTER, "recent": now - timedelta(days=1)})


def spending_of(budget: Budget, now: datetime) -> Spending:
    """The cost of a budget's messages in its period so far."""
    since = month_of(now) if budget.period == BudgetPeriod.MONTH else first_charge(budget) or now
    filters = {"client_id": [budget.client_id]} if budget.client_id is not None else {}
    campaign = {"campaign": [budget.campaign]} if budget.campaign else {}
    found = total(figures(CostQuestion([since], now + timedelta(days=1), budget.currency, (), {**filters, **campaign})))
    return Spending(found.cost, found.unpriced)


def month_of(now: datetime) -> datetime:
    """When the calendar month began, in TIME_ZONE."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def first_charge(budget: Budget) -> datetime | None:
    """When the first message of a budget was delivered."""
    charges = Charge.objects.order_by("at")
    if budget.client_id is not None:
        charges = charges.filter(client_id=budget.client_id)
    if budget.campaign:
        charges = charges.filter(campaign=budget.campaign)
    return charges.values_list("at", flat=True).first()


def budgets_near_limit() -> dict[str, bool]:
    """The active budgets that warn or are spent, by name; whether each is spent."""
    pressed = Budget.objects.filter(active=True).exclude(state=BudgetState.FINE).select_related("client")
    return {str(budget): budget.state == BudgetState.SPENT for budget in pressed}
