"""Reasons of alerts."""

import pytest
from django.utils import timezone

from messaging.models import BusinessNumber, Subscription
from messaging.outgoing.holds.holds import hold_template
from monitoring.alerts.reasons import reason_of
from tests.messaging.factories import number

pytestmark = pytest.mark.django_db


def test_the_reason_of_a_paused_number_is_its_pause_reason() -> None:
    row = number(paused_at=timezone.now(), pause_reason="131048: spam rate")
    assert reason_of("number-paused", row.phone_number_id) == "131048: spam rate"


def test_the_reason_of_a_held_template_is_that_of_its_hold() -> None:
    hold_template("spring/offer", by="system", reason="132015: paused by Meta")
    assert reason_of("template-held", "spring_offer") == "132015: paused by Meta"


@pytest.mark.parametrize("described", [True, False])
def test_a_disabled_subscription_says_what_its_endpoint_answered(described: bool) -> None:
    row = Subscription.objects.create(
        url="https://a.example/", description="shop" if described else "", active=False, secret="x",
        disabled_at=timezone.now(), disabled_why="Answered 410.",
    )  # fmt: skip
    assert reason_of("subscription-disabled", "shop" if described else str(row.pk)) == "Answered 410."


@pytest.mark.parametrize("rule", ["number-paused", "template-held", "subscription-disabled", "lane-age"])
def test_an_alert_without_a_recorded_reason_has_none(rule: str) -> None:
    assert reason_of(rule, "nobody") == "" and not BusinessNumber.objects.filter(phone_number_id="nobody").exists()
