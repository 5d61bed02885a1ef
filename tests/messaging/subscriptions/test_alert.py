"""The figures of subscriptions in monitoring."""

import pytest
from django.utils import timezone

from messaging.models import Subscription
from messaging.subscriptions.changes import change, unsubscribe
from monitoring.metrics import gauges
from tests.messaging.subscriptions.factories import subscription, waiting
from tests.monitoring.readings import database_readings

pytestmark = pytest.mark.django_db


def off() -> list[str]:
    return [series[1] for series in database_readings() if series[0] == gauges.SUBSCRIPTION_OFF.name]


def switched_off_by_us() -> Subscription:
    one = subscription(description="shop")
    Subscription.objects.update(active=False, disabled_at=timezone.now(), disabled_why="why")
    one.refresh_from_db()
    return one


def test_a_disabled_subscription_raises_an_alert() -> None:
    switched_off_by_us()
    assert off() == ["shop"]


def test_a_subscription_that_a_person_deactivated_raises_no_alert() -> None:
    change(subscription(), "tests", active=False)
    assert off() == []


def test_the_alert_ends_when_the_subscription_is_activated_or_deleted() -> None:
    one = switched_off_by_us()
    change(one, "tests", active=True)
    unsubscribe(switched_off_by_us(), "tests")
    Subscription.objects.filter(pk=one.pk).update(active=True)
    assert off() == []


def test_waiting_deliveries_are_counted() -> None:
    one = subscription()
    waiting(one, 3)
    waiting(one, 1, state="delivered", finished_at=timezone.now())
    assert database_readings()[gauges.UNDELIVERED.name,] == 3
