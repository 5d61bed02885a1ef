"""Gauges say what the queues and the tables hold."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from analytics.models import Cursor
from messaging import monitoring_queries as queries
from messaging.models import Hold, HoldKind, Media, MessageEvent, Portfolio
from messaging.portfolios import assign_portfolio
from messaging.states import Status
from monitoring.metrics import gauges
from monitoring.metrics.gauges import Readings
from monitoring.models import Heartbeat, SetupFinding
from monitoring.queue_depth import SqsUnavailable
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


def test_each_state_of_outbound_messages_has_its_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "unknown_outcomes", lambda: queries.UnknownOutcomes(1, 2, 3))
    monkeypatch.setattr(queries, "due_messages", lambda: queries.DueMessages({"high": 4.5, "low": 0.0}, 5.5))
    monkeypatch.setattr(queries, "quality_assessments", lambda: queries.QualityAssessments(6, 7.5))
    monkeypatch.setattr(queries, "messages_without_outcome", lambda: {"due": 8, "held": 9})
    assert gauges._outbound_messages() == {
        ("waproject_messages", "due"): 8.0,
        ("waproject_messages", "held"): 9.0,
        ("waproject_unknown_messages", "no"): 1.0,
        ("waproject_unknown_messages", "yes"): 2.0,
        ("waproject_quality_assessment_messages",): 6.0,
        ("waproject_quality_assessment_oldest_seconds",): 7.5,
        ("waproject_duplicate_sends",): 3.0,
        ("waproject_oldest_due_seconds", "high"): 4.5,
        ("waproject_oldest_due_seconds", "low"): 0.0,
        ("waproject_dispatcher_lag_seconds",): 5.5,
    }


@pytest.mark.parametrize(("probing", "value"), [(True, 1.0), (False, 0.0)])
def test_a_number_has_its_pace_and_says_whether_it_probes(probing: bool, value: float) -> None:
    number(rate=100, probe_at=timezone.now() if probing else None, failures=5)
    found = gauges._business_numbers()
    assert found["waproject_number_probing", PHONE_NUMBER_ID] == value
    assert 0 < found["waproject_number_pace", PHONE_NUMBER_ID] <= 100


def test_a_status_that_analytics_does_not_read_is_a_standstill_of_the_rollups() -> None:
    Cursor.objects.create(name="rollups", position=0)
    pending()
    MessageEvent.objects.update(recorded_at=timezone.now() - timedelta(seconds=700))
    series = ("waproject_rollup_sweep_standstill_seconds",)
    assert gauges.PARTS["rollups"][0]()[series] == pytest.approx(700, abs=60)
    Cursor.objects.update(position=MessageEvent.objects.latest("id").pk)
    assert gauges.PARTS["rollups"][0]() == {series: 0.0}


def test_a_portfolio_has_the_number_of_messages_that_wait_for_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "portfolio_states", lambda: [queries.PortfolioState("a/b", "TIER_250", None, 7, 9)])
    assert gauges._portfolios() == {
        ("waproject_messaging_limit_opened", "a_b"): 7.0,
        ("waproject_messaging_limit_waiting", "a_b"): 9.0,
    }


def test_a_slash_in_a_name_is_an_underscore_in_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "held_templates", lambda: ["a/b"])
    monkeypatch.setattr(queries, "disabled_subscriptions", lambda: ["c/d"])
    monkeypatch.setattr(gauges, "budgets_near_limit", lambda: {"e/f": False, "g/h": True})
    assert gauges._holds_and_deliveries() == {
        ("waproject_template_held", "a_b"): 1.0,
        ("waproject_subscription_disabled", "c_d"): 1.0,
        ("waproject_budget_warned", "e_f"): 1.0,
        ("waproject_budget_spent", "g_h"): 1.0,
        ("waproject_deliveries_waiting",): 0.0,
    }
    finding("failed", "7/8")
    assert gauges._setup() == {("waproject_setup_check_failed", "webhook 7_8"): 1.0}


def heartbeat(name: str, seen: float, *, started: float = 600, host: str = "a", **fields: Any) -> None:
    """A process that started, and sent its last heartbeat, so many seconds ago."""
    now = timezone.now()
    Heartbeat.objects.create(
        kind=name.partition("@")[0], name=name, host=host, pid=7, started_at=now - timedelta(seconds=started),
        seen_at=now - timedelta(seconds=seen), **fields,
    )  # fmt: skip


def test_of_processes_with_one_name_the_latest_heartbeat_and_the_worst_state_count(settings: Any) -> None:
    settings.EXPECTED_PROCESSES = ["outgoing", "beat"]
    long = "outgoing@" + "x" * 100
    heartbeat("outgoing@a/1", 300, crashes=2)
    heartbeat("outgoing@a/1", 5, host="b", started=400, crashes=3)
    heartbeat(long, 10, host="c", started=700)
    found = gauges.read_processes()
    ages = {series: found.pop(series) for series in list(found) if series[0] == "waproject_heartbeat_age_seconds"}
    assert found == {
        ("waproject_processes", "beat"): 0.0,
        ("waproject_processes", "outgoing"): 2.0,
        ("waproject_process_gone", "outgoing@a_1"): 1.0,
        ("waproject_process_gone", long[:100]): 0.0,
        ("waproject_process_crashes", "outgoing"): 5.0,
    }
    assert {series[1]: age < 100 for series, age in ages.items()} == {"outgoing@a_1": True, long[:100]: True}


def test_a_process_that_was_replaced_counts_its_crashes_alone(settings: Any) -> None:
    settings.EXPECTED_PROCESSES = []
    heartbeat("outgoing@a", 300, crashes=2)
    heartbeat("outgoing@b", 5, host="b", started=200)
    assert {series: value for series, value in gauges.read_processes().items() if "outgoing@b" not in series} == {
        ("waproject_processes", "outgoing"): 1.0,
        ("waproject_process_crashes", "outgoing"): 2.0,
    }


def broken() -> Readings:
    raise ValueError("broken")


def test_a_part_that_fails_is_named_and_keeps_its_last_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    files, checks = ("waproject_media_files", "late"), ("waproject_setup_check_failed", "token")
    parts = {
        "files": (broken, (gauges.MEDIA_FILES,)),
        "setup": (lambda: {checks: 0.0}, (gauges.SETUP_FAILED,)),
    }
    monkeypatch.setattr(gauges, "PARTS", parts)
    assert gauges.read({files: 3.0, ("waproject_setup_check_failed", "old"): 1.0}) == {
        files: 3.0,
        checks: 0.0,
        ("waproject_monitor_failed", "files"): 1.0,
        ("waproject_monitor_failed", "setup"): 0.0,
    }


@pytest.mark.parametrize(
    ("state", "lost"), [(None, True), (SimpleNamespace(closed=1), True), (SimpleNamespace(closed=0), False)]
)
def test_a_closed_connection_is_a_lost_one(state: Any, lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "connection", SimpleNamespace(connection=state))
    assert gauges.is_connection_lost() is lost


def test_a_lost_connection_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "is_connection_lost", lambda: True)
    monkeypatch.setattr(gauges, "PARTS", {"files": (broken, (gauges.MEDIA_FILES,))})
    with pytest.raises(ValueError, match="broken"):
        gauges.read({})


def test_each_part_has_five_seconds_for_a_statement() -> None:
    def shown() -> Readings:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return {(cursor.fetchone()[0],): 1.0}

    assert gauges._in_time(shown) == {("5s",): 1.0}


def test_while_sqs_is_away_the_only_reading_of_queues_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[float] = []

    def away(timeout: float) -> None:
        timeouts.append(timeout)
        raise SqsUnavailable("AccessDenied")

    monkeypatch.setattr(gauges, "lane_depths", away)
    assert (gauges.read_queues(), timeouts) == ({("waproject_sqs_up",): 0.0}, [1.0])
