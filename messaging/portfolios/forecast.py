"""Forecast of the wait for the messaging limit, for messages that are not sent yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils import timezone

from messaging.models import BusinessNumber, Message, OpenedCount, Portfolio, Priority
from messaging.models.messages import LIMIT
from messaging.portfolios.budget import WINDOW, Budget, counted_from, done_at
from waproject.ttl_cache import TtlCache

# Single sends share what is known of the limits for this long.
CACHED_S = 5.0
# Waiting messages are counted up to this number.
COUNT_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class LimitForecast:
    """What the limit of one portfolio means for some messages.

    `new_recipients` of them are outside of a window and do not count yet; `waiting` messages wait before them.
    `done_at`: when the last may be sent as far as the limit goes; None: not within 60 days.
    """

    portfolio: str
    users_a_day: int
    opened: int
    new_recipients: int
    waiting: int
    done_at: datetime | None


# One value: the limited portfolios by the pk of the number.
_cache = TtlCache[None, Mapping[int, Portfolio]](CACHED_S)


def limit_forecasts(rows: Sequence[Message]) -> list[LimitForecast]:
    """Of each limited portfolio that these drafted messages are sent from. Needs queries only where there is one."""
    by_portfolio: dict[int, list[Message]] = {}
    for row in rows:
        if portfolio := _limited().get(row.number_id):
            by_portfolio.setdefault(portfolio.pk, []).append(row)
    # What is known of the limits may be older than the end of one.
    limited = Portfolio.objects.filter(pk__in=by_portfolio).exclude(users_a_day=None) if by_portfolio else []
    return [_forecast(portfolio, by_portfolio[portfolio.pk]) for portfolio in sorted(limited, key=lambda one: one.pk)]


def waiting_until(number_ids: Sequence[int]) -> datetime | None:
    """When the last message of these numbers that waits for a limit now may go; None: none waits, or not in 60 days."""
    now = timezone.now()
    ends = []
    for portfolio in Portfolio.objects.filter(businessnumber__in=number_ids).exclude(users_a_day=None).distinct():
        counts = _counts(portfolio, now)
        waiting = sum(messages_on_hold(_numbers_of(portfolio)).values())
        cap = budget_of(portfolio).cap(Priority.NORMAL)
        ends.append(done_at(now, cap, sum(counts.values()), counts.items(), waiting))
    known = [end for end in ends if end is not None]
    return max(known) if ends and len(known) == len(ends) else None


def limit_warning(row: Message) -> str:
    """A sentence where a first message to a new recipient would wait now, as of up to CACHED_S ago; else empty."""
    portfolio = _limited().get(row.number_id)
    if portfolio is None or budget_of(portfolio).remaining(row.priority):
        return ""
    return (
        f"The messaging limit of {portfolio.users_a_day} new recipients in 24 hours is used up: if the recipient is "
        "new, the message waits until the window moves."
    )


def clear_limit_cache() -> None:
    """Make the next call read the database."""
    _cache.clear()


def budget_of(portfolio: Portfolio) -> Budget:
    """The budget of a limited portfolio."""
    return Budget(portfolio.users_a_day or 0, portfolio.opened, settings.WA_LIMIT_HIGH_SHARE)


def messages_on_hold(number_ids: Sequence[int], at_most: int = COUNT_LIMIT) -> dict[int, int]:
    """How many messages wait for the limit, by priority; of each number and priority up to `at_most`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.priority, sum(waiting.count)::int FROM unnest(%s::int[]) AS p(priority)
            CROSS JOIN unnest(%s::bigint[]) AS n(id)
            CROSS JOIN LATERAL (SELECT count(*) FROM (
              SELECT FROM messaging_message WHERE hold = %s || ':' || n.id || ':' || p.priority LIMIT %s) m) waiting
            GROUP BY 1
            """,
            [[priority.value for priority in Priority], list(number_ids), LIMIT, at_most],
        )
        return dict(cursor.fetchall())


def _forecast(portfolio: Portfolio, messages: Sequence[Message]) -> LimitForecast:
    now = timezone.now()
    budget = budget_of(portfolio)
    counts = _counts(portfolio, now)
    budget.opened = sum(counts.values())
    waiting = sum(messages_on_hold(_numbers_of(portfolio)).values())
    new = _new_recipients(portfolio.pk, messages, now)
    # The least urgent of them waits longest.
    cap = min(budget.cap(message.priority) for message in messages)
    return LimitForecast(
        portfolio=portfolio.key,
        users_a_day=budget.users,
        opened=budget.opened,
        new_recipients=new,
        waiting=waiting,
        done_at=done_at(now, cap, budget.opened, counts.items(), new + waiting) if new else now,
    )


def _numbers_of(portfolio: Portfolio) -> list[int]:
    return list(BusinessNumber.objects.filter(limited_by=portfolio).values_list("pk", flat=True))


def _counts(portfolio: Portfolio, now: datetime) -> Mapping[datetime, int]:
    found = OpenedCount.objects.filter(portfolio=portfolio, minute__gte=counted_from(now))
    return dict(found.values_list("minute", "recipients"))


def _new_recipients(portfolio_id: int, messages: Sequence[Message], now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT g.peer) FROM unnest(%(numbers)s::bigint[], %(peers)s::text[]) AS g(number_id, peer)
            WHERE NOT EXISTS (SELECT 1 FROM messaging_message i
                WHERE i.peer = g.peer AND i.at > %(window)s AND i.number_id = g.number_id
                  AND i.direction = 'inbound' AND i.type <> 'system')
              AND NOT EXISTS (SELECT 1 FROM messaging_openedrecipient o
                WHERE o.portfolio_id = %(portfolio)s AND o.peer = g.peer AND o.opened_at >= %(counted_from)s)
            """,
            {
                "numbers": [message.number_id for message in messages],
                "peers": [message.peer for message in messages],
                "portfolio": portfolio_id,
                "window": now - WINDOW,
                "counted_from": counted_from(now),
            },
        )
        return int(cursor.fetchone()[0])


def _limited() -> Mapping[int, Portfolio]:
    cached = _cache.get(None)
    if cached is not None:
        return cached
    numbers = BusinessNumber.objects.filter(limited_by__users_a_day__isnull=False).select_related("limited_by")
    return _cache.set(None, {number.pk: number.limited_by for number in numbers if number.limited_by is not None})
