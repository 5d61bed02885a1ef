"""The portfolios section: how much of each messaging limit is used."""

from dataclasses import dataclass

from messaging import monitoring_queries as queries
from monitoring.alerts import BY_NAME
from monitoring.dashboard.sections.state import State

ATTENTION_AT = BY_NAME["messaging-limit"].fires_at


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """One business portfolio. `users_a_day`: its messaging limit (None: unlimited or unknown, as `tier` says)."""

    name: str
    state: State
    word: str
    tier: str
    users_a_day: int | None
    opened: int
    waiting: int


def portfolio_views() -> list[PortfolioView]:
    """All portfolios with numbers. Raises django.db errors."""
    return [_portfolio(portfolio) for portfolio in queries.portfolio_states()]


def _portfolio(found: queries.PortfolioState) -> PortfolioView:
    if found.users_a_day is None:
        state, word = State.OK, "unlimited" if found.tier else "limit not known"
    elif found.waiting:
        state, word = State.ATTENTION, "used up"
    elif found.opened >= found.users_a_day * ATTENTION_AT:
        state, word = State.ATTENTION, "nearly used up"
    else:
        state, word = State.OK, "free"
    return PortfolioView(found.name, state, word, found.tier, found.users_a_day, found.opened, found.waiting)
