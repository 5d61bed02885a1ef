"""Business numbers as Meta bills them, and when their months begin."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.costs.accounts import Account, billed_accounts, month_begins, zone_of_account
from messaging.models import BusinessNumber

AT = datetime(2026, 11, 20, 12, 34, 56, 789, tzinfo=UTC)


@pytest.mark.django_db
def test_a_number_is_billed_with_its_portfolio_or_account_in_the_time_zone_of_its_account(settings: Any) -> None:
    settings.ACCOUNT_TIME_ZONES, settings.TIME_ZONE = {"7": ZoneInfo("Asia/Kolkata")}, "Europe/Berlin"
    first, second = (
        BusinessNumber.objects.create(phone_number_id=f"1{waba_id}", waba_id=waba_id, portfolio=portfolio).pk
        for waba_id, portfolio in (("7", "acme"), ("8", ""))
    )
    assert sorted(billed_accounts(), key=lambda one: one.number_id) == [
        Account(first, "17", "7", "portfolio acme", "Asia/Kolkata"),
        Account(second, "18", "8", "account 8", "Europe/Berlin"),
    ]
    assert zone_of_account("") == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("zones", "begins"),
    [
        (["UTC"], datetime(2026, 11, 1, tzinfo=UTC)),
        (["UTC", "Asia/Kolkata"], datetime(2026, 10, 31, 18, 30, tzinfo=UTC)),
        (["America/New_York", "UTC"], datetime(2026, 11, 1, tzinfo=UTC)),
        ([], AT - timedelta(days=31)),
    ],
    ids=str,
)
def test_a_month_begins_at_the_earliest_midnight(zones: list[str], begins: datetime) -> None:
    assert month_begins(AT, zones) == begins
