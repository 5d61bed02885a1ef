"""Business numbers: whether they may send, their pace and their quality."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from messaging.models import PRIORITY_NAMES, BusinessNumber
from messaging.models.messages import LIMIT
from messaging.monitoring_queries.messages import COUNT_LIMIT

# Events of phone_number_quality_update that report the quality. Meta's newest versions send only the last of them.
QUALITY_IS_LOW = {"FLAGGED": True, "DOWNGRADE": True, "UNFLAGGED": False, "UPGRADE": False, "THROUGHPUT_UPGRADE": False}


@dataclass(frozen=True, slots=True)
class NumberState:
    """One business number. `rate`: Meta's limit in messages a second; `pace`: what it may send now."""

    phone_number_id: str
    name: str
    rate: int
    pace: float
    paused_at: datetime | None
    pause_reason: str
    probing: bool
    throttled_until: datetime | None


@dataclass(frozen=True, slots=True)
class PortfolioState:
    """One portfolio with numbers: Meta's tier, its limit of new recipients a day (None: none), and how many count now.

    `waiting`: messages on hold for the limit, up to COUNT_LIMIT for each number and priority.
    """

    name: str
    tier: str
    users_a_day: int | None
    opened: int
    waiting: int


def portfolio_states() -> list[PortfolioState]:
    """All portfolios that have numbers, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.key, p.tier, p.users_a_day, p.opened, sum(w.waiting)::int FROM messaging_portfolio p
            JOIN messaging_businessnumber n ON n.limited_by_id = p.id
            CROSS JOIN unnest(%s::int[]) AS each(priority)
            CROSS JOIN LATERAL (SELECT count(*) AS waiting FROM (
              SELECT FROM messaging_message WHERE hold = %s || ':' || n.id || ':' || each.priority LIMIT %s) held) w
            GROUP BY p.id ORDER BY p.key
            """,
            [list(PRIORITY_NAMES), LIMIT, COUNT_LIMIT],
        )
        return [PortfolioState(*row) for row in cursor.fetchall()]


def number_states() -> list[NumberState]:
    """All business numbers, by id."""
    return [_state(number) for number in BusinessNumber.objects.order_by("phone_number_id")]


def low_quality_numbers() -> dict[str, bool]:
    """Whether Meta rates a number as low, by its id: by its latest event, or by the hourly sync, whichever is newer.

    Numbers without either are left out. Meta's events always name the display number, but not always its id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            r"""
            SELECT DISTINCT ON (n.phone_number_id) n.phone_number_id, e.event, e.at, n.quality, n.synced_at
            FROM messaging_businessnumber n LEFT JOIN (
              SELECT id, event, at, phone_number_id, NULLIF(regexp_replace(subject, '\D', '', 'g'), '') AS digits
              FROM messaging_accountevent WHERE kind = 'phone_number_quality_update' AND event = ANY(%s)) e
            ON n.phone_number_id = e.phone_number_id OR regexp_replace(n.display_phone_number, '\D', '', 'g') = e.digits
            ORDER BY n.phone_number_id, e.at DESC NULLS LAST, e.id DESC
            """,
            [list(QUALITY_IS_LOW)],
        )
        found = {number: _is_low(*facts) for number, *facts in cursor.fetchall()}
    return {number: is_low for number, is_low in found.items() if is_low is not None}


def _is_low(event: str | None, at: datetime | None, quality: str, synced_at: datetime | None) -> bool | None:
    """None: nothing is known."""
    if quality and synced_at is not None and (at is None or synced_at > at):
        return quality == "RED"
    return None if event is None else QUALITY_IS_LOW[event]


def _state(number: BusinessNumber) -> NumberState:
    return NumberState(
        phone_number_id=number.phone_number_id,
        name=str(number),
        rate=number.rate,
        pace=number.rate * number.pace_share,
        paused_at=number.paused_at,
        pause_reason=number.pause_reason,
        probing=number.probe_at is not None,
        throttled_until=number.throttled_until,
    )
