"""Business numbers: whether they may send, their pace and their quality."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from messaging.models import BusinessNumber

# Events of Meta's phone_number_quality_update that tell the quality; others, such as ONBOARDING, do not.
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


def number_states() -> list[NumberState]:
    """All business numbers, by id."""
    return [_state(number) for number in BusinessNumber.objects.order_by("phone_number_id")]


def low_quality_numbers() -> dict[str, bool]:
    """Whether Meta's latest event rates a number as low, by its id; numbers without such an event are left out.

    Meta always names the display number, but not always its id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            r"""
            SELECT DISTINCT ON (n.phone_number_id) n.phone_number_id, e.event
            FROM messaging_accountevent e JOIN messaging_businessnumber n ON n.phone_number_id = e.phone_number_id
              OR regexp_replace(n.display_phone_number, '\D', '', 'g')
                = NULLIF(regexp_replace(e.subject, '\D', '', 'g'), '')
            WHERE e.kind = 'phone_number_quality_update' AND e.event = ANY(%s)
            ORDER BY n.phone_number_id, e.at DESC, e.id DESC
            """,
            [list(QUALITY_IS_LOW)],
        )
        return {number: QUALITY_IS_LOW[event] for number, event in cursor.fetchall()}


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
