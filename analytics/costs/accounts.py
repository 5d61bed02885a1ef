"""Business numbers as Meta bills them: their portfolio and the time zone of their account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from messaging.models import BusinessNumber


@dataclass(frozen=True, slots=True)
class Account:
    """A business number. Volume tiers count per `portfolio`; prices and months begin at midnight in `zone`."""

    number_id: int
    phone_number_id: str
    waba_id: str
    portfolio: str
    zone: str


def billed_accounts() -> list[Account]:
    """All numbers. Where no portfolio is given, a WhatsApp Business account counts for itself."""
    numbers = BusinessNumber.objects.values_list("pk", "phone_number_id", "waba_id", "portfolio")
    return [
        Account(
            number_id=pk,
            phone_number_id=phone_number_id,
            waba_id=waba_id,
            portfolio=f"portfolio {portfolio}" if portfolio else f"account {waba_id}",
            zone=str(zone_of_account(waba_id)),
        )
        for pk, phone_number_id, waba_id, portfolio in numbers
    ]


def zone_of_account(waba_id: str) -> ZoneInfo:
    """The account's time zone: of ACCOUNT_TIME_ZONES, else TIME_ZONE."""
    zones: dict[str, ZoneInfo] = settings.ACCOUNT_TIME_ZONES
    return zones.get(waba_id) or ZoneInfo(settings.TIME_ZONE)


def month_begins(at: datetime, zones: Iterable[str]) -> datetime:
    """The earliest beginning, in these zones, of the month that a time lies in."""
    starts = [at.astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0) for zone in zones]
    return min(starts, default=at - timedelta(days=31))
