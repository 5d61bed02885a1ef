"""Gauges say what the queues and the tables hold."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Hold, HoldKind, Media, Portfolio
from messaging.portfolios import assign_portfolio
from messaging.states import Status
from monitoring.metrics import gauges
from monitoring.metrics.gauges import Readings
from monitoring.models import SetupFinding
from tests.environment import PHONE_NUMBER_ID
from tests.messaging.factories import claimed, in_state, number, pending
from tests.messaging.subscriptions.factories import subscription, waiting
from tests.monitoring.readings import database_readings
from waproject.queues import LANES

pytestmark = pytest.mark.django_db


def test_the_depths_of_a_queue_are_read_by_the_state_of_its_messages(sqs: Any) -> None:
    lane = LANES["outgoing"]
    sqs.send_message(QueueUrl=lane.url, MessageBody="in flight")
    sqs.receive_message(QueueUrl=lane.url)
    for n in range(2):
        sqs.send_message(QueueUrl=lane.url, MessageBody=f"waiting {n}")
    for n in range(3):
        sqs.send_message(QueueUrl=lane.url, MessageBody=f"delayed {n}", DelaySeconds=60)
    for n in range(4):
        sqs.send_message(QueueUrl=lane.dlq_url, MessageBody=f"dead {n}")
    found = gauges.read_queues()
    assert {series: value for series, value in found.items() if "outgoing" in series} == {
        ("waproject_queue_messages", "outgoing", "waiting"): 2.0,
        ("waproject_queue_messages", "outgoing", "in_flight"): 1.0,
        ("waproject_queue_messages", "outgoing", "delayed"): 3.0,
        ("waproject_dlq_messages", "outgoing"): 4.0,
    }
    assert found["waproject_sqs_up",] == 1.0


def finding(state: str, about: str = "") -> None:
    """The result of a check."""
    SetupFinding.objects.create(
        check_name="webhook", about=about, state=state, text="…", checked_at=timezone.now()
    )  # fmt: skip


def limited_portfolio() -> None:
    """A portfolio of which a quarter of the limit is used; its name has a slash."""
    pk = assign_portfolio(number(portfolio="a/b").pk)
    Portfolio.objects.filter(pk=pk).update(users_a_day=1000, opened=250)


def held_template(by: str) -> None:
    """A hold of a template."""
    Hold.objects.create(kind=HoldKind.TEMPLATE, key="offer", by=by)


def disabled_subscription() -> None:
    """A subscription that failed for too long."""
    row = subscription(description="crm")
    row.active, row.disabled_at = False, timezone.now()
    row.save()


def file(state: str, finished: bool, give_up_in: timedelta = timedelta(days=6)) -> None:
    """A file of an inbound message."""
    now = timezone.now()
    Media.objects.create(
        message=in_state(Status.RECEIVED), kind="image", state=state, give_up_at=now + give_up_in,
        finished_at=now if finished else None,
    )  # fmt: skip


def failed_and_passed() -> None:
    """Two results of one check about the same."""
    finding("failed", "77")
    finding("ok", "77")


# What makes rows, and readings that they lead to.
ROWS: dict[str, tuple[Callable[[], object], Readings]] = {
    "a running number": (lambda: number(rate=80), {("waproject_number_paused", PHONE_NUMBER_ID): 0.0}),
    "a paused number": (
        lambda: number(paused_at=timezone.now()), {("waproject_number_paused", PHONE_NUMBER_ID): 1.0},
    ),
    "a number of low quality": (
        lambda: number(quality="RED", synced_at=timezone.now()),
        {("waproject_number_quality_low", PHONE_NUMBER_ID): 1.0},
    ),
    "a number of high quality": (
        lambda: number(quality="GREEN", synced_at=timezone.now()),
        {("waproject_number_quality_low", PHONE_NUMBER_ID): 0.0},
    ),
    "messages that are due": (
        lambda: pending(3),
        {("waproject_messages", "due"): 3.0, ("waproject_messages", "held"): 0.0},
    ),
    "a message that is sent just now": (
        claimed,
        {("waproject_messages", "sending"): 1.0, ("waproject_messages", "due"): 0.0},
    ),
    "a portfolio with a limit": (
        limited_portfolio,
        {
            ("waproject_messaging_limit", "a_b"): 1000.0,
            ("waproject_messaging_limit_opened", "a_b"): 250.0,
            ("waproject_messaging_limit_used", "a_b"): 0.25,
            ("waproject_messaging_limit_waiting", "a_b"): 0.0,
        },
    ),
    "a check that failed": (lambda: finding("failed"), {("waproject_setup_check_failed", "webhook"): 1.0}),
    "a check that passed": (lambda: finding("ok", "77"), {("waproject_setup_check_failed", "webhook 77"): 0.0}),
    "a check with both results": (failed_and_passed, {("waproject_setup_check_failed", "webhook 77"): 1.0}),
    "a template that Meta paused": (lambda: held_template("meta"), {("waproject_template_held", "offer"): 1.0}),
    "a disabled subscription": (disabled_subscription, {("waproject_subscription_disabled", "crm"): 1.0}),
    "deliveries that wait": (lambda: waiting(subscription(), 2), {("waproject_deliveries_waiting",): 2.0}),
    "a file that waits": (
        lambda: file("waiting", finished=False),
        {("waproject_media_files", "waiting"): 1.0, ("waproject_media_files", "late"): 0.0},
    ),
    "a file that is late": (
        lambda: file("waiting", finished=False, give_up_in=timedelta(days=1)),
        {("waproject_media_files", "waiting"): 1.0, ("waproject_media_files", "late"): 1.0},
    ),
    "a lost file": (lambda: file("gone", finished=True), {("waproject_media_files", "lost"): 1.0}),
    "a stored file": (lambda: file("stored", finished=True), {("waproject_media_files", "lost"): 0.0}),
}  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), ROWS.values(), ids=ROWS)
def test_rows_lead_to_readings(make: Callable[[], object], expected: Readings) -> None:
    make()
    found = database_readings()
    assert {series: found.get(series) for series in expected} == expected


@pytest.mark.parametrize(
    ("make", "metric"),
    [
        (lambda: finding("skipped"), "waproject_setup_check_failed"),
        (lambda: held_template("ann"), "waproject_template_held"),
        (lambda: subscription(description="crm"), "waproject_subscription_disabled"),
        (lambda: assign_portfolio(number(portfolio="shop").pk), "waproject_messaging_limit"),
    ],
    ids=["a check that was left out", "a template that a person holds", "a subscription", "no limit"],
)
def test_what_is_not_known_or_not_wrong_has_no_reading(make: Callable[[], object], metric: str) -> None:
    make()
    assert [series for series in database_readings() if series[0] == metric] == []
