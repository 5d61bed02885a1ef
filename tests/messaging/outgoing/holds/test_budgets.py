"""Holds of what is over budget: exactly those that are given, each recorded in the audit log."""

import pytest

from messaging.models import ApiClient, AuditEntry, Hold
from messaging.outgoing.holds.budgets import BudgetScope, hold_over_budget

pytestmark = pytest.mark.django_db
SPRING = BudgetScope(None, "spring")


def held() -> set[tuple[int | None, str, str]]:
    """The client, campaign and reason of each hold."""
    return {(row.client_id, row.key, row.reason) for row in Hold.objects.filter(kind="budget", resumed_at=None)}


def test_exactly_what_is_given_is_held() -> None:
    shop = ApiClient.objects.create(name="shop")
    assert hold_over_budget({SPRING: "10 USD spent", BudgetScope(shop.pk, ""): "5 USD spent"}) == (2, 0)
    assert hold_over_budget({SPRING: "12 USD spent"}) == (0, 1)
    assert held() == {(None, "spring", "10 USD spent")}


def test_a_hold_and_its_end_are_recorded_once() -> None:
    for spent in ({SPRING: "spent"}, {SPRING: "spent"}, {}, {}):
        hold_over_budget(spent)
    hold = Hold.objects.get()
    assert list(AuditEntry.objects.order_by("pk").values_list("who", "action", "object", "details")) == [
        ("budget", action, f"hold {hold.pk}", {"kind": "budget", "key": "spring"}) for action in ("hold", "resume")
    ]
