"""Reasons of alerts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from messaging.models import BusinessNumber, Subscription
from messaging.outgoing.holds.holds import hold_template
from messaging.whatsapp.error_codes import describe
from monitoring.alerts.reasons import REASONS, reason_of
from monitoring.alerts.rules import BY_NAME
from monitoring.metrics import FAILURES, gauges
from monitoring.models import Heartbeat, SetupFinding, TaskFailure
from tests.messaging.factories import number
from tests.monitoring.readings import database_readings
from tests.monitoring.snapshots import window
from waproject.metrics.counters import Series

pytestmark = pytest.mark.django_db
NOTHING: dict[Series, float] = {}


def reason(rule: str, key: str, *samples: dict[Series, float]) -> str:
    """The reason of an alert, with samples 30 s apart."""
    return reason_of(rule, key, window(*(samples or (NOTHING,))))


def label_of(gauge: gauges.Gauge) -> str:
    """The label of a gauge's only series now, which is the key of its alert."""
    (label,) = [series[1] for series in database_readings() if series[0] == gauge.name]
    return label


def test_the_reason_of_dead_letters_is_the_latest_failure_of_the_lanes_tasks() -> None:
    now = timezone.now()
    for minutes, task, error in (
        (3, "messaging.receive", "KeyError"),
        (2, "messaging.receive", "IntegrityError"),
        (1, "messaging.send", "ValueError"),
    ):
        TaskFailure.objects.create(
            task_id=error, task=task, error=error, message="null value", last_at=now - timedelta(minutes=minutes)
        )
    assert reason("dlq-not-empty", "incoming") == "messaging.receive failed with IntegrityError: null value"
    assert reason("dlq-not-empty", "outgoing") == "messaging.send failed with ValueError: null value"
    assert reason("dlq-not-empty", "analytics") == ""


def test_a_failure_without_a_message_is_named_by_its_type() -> None:
    TaskFailure.objects.create(task_id="1", task="messaging.send", error="KeyError", last_at=timezone.now())
    assert reason("dlq-not-empty", "outgoing") == "messaging.send failed with KeyError"


def test_the_reason_of_a_gone_process_is_its_last_heartbeat() -> None:
    seen = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
    for pid, seen_at in enumerate((seen, seen - timedelta(hours=1))):
        Heartbeat.objects.create(
            kind="incoming", name="incoming@a", host="a", pid=pid, started_at=seen_at, seen_at=seen_at
        )
    assert reason("process-gone", "incoming@a") == "its last heartbeat was at 12:34:56 UTC"


def test_the_reason_of_a_stalled_process_is_since_when_no_work_moves() -> None:
    now = timezone.now()
    since = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
    Heartbeat.objects.create(
        kind="incoming", name="incoming@a", host="a", pid=7, started_at=now, seen_at=now, stalled_since=since
    )
    assert reason("process-gone", "incoming@a") == "it runs, but no work has moved since 12:34:56 UTC"


def test_the_reason_of_an_error_rate_is_the_most_frequent_code() -> None:
    before: dict[Series, float] = {(FAILURES.name, "131026"): 90, (FAILURES.name, "131047"): 4}
    after: dict[Series, float] = {(FAILURES.name, "131026"): 92, (FAILURES.name, "131047"): 9}
    assert reason("error-rate", "", before, after) == f"most often 131047, {describe(131047)}"


def test_codes_of_earlier_failures_are_no_reason() -> None:
    before: dict[Series, float] = {(FAILURES.name, "131026"): 90}
    assert reason("error-rate", "", before, before) == ""


def test_the_reason_of_failures_without_a_code_says_so() -> None:
    assert reason("error-rate", "", {}, {(FAILURES.name, "none"): 3}) == "most often no answer, or no code in it"


def test_the_reason_of_a_probing_number_is_the_number_of_unknown_outcomes() -> None:
    row = number(probe_at=timezone.now(), failures=5)
    assert reason("number-probing", row.phone_number_id) == "5 calls in a row have an unknown outcome"


def test_a_summary_ends_with_the_reason_as_one_sentence() -> None:
    described = BY_NAME["number-paused"].describe("1065", 1, "131048: spam rate.")
    assert described == "The business number 1065 is paused. Reason: 131048: spam rate."


def test_the_reason_of_a_paused_number_is_its_pause_reason() -> None:
    row = number(paused_at=timezone.now(), pause_reason="131048: spam rate")
    assert reason("number-paused", row.phone_number_id) == "131048: spam rate"


def test_the_reason_of_a_held_template_is_that_of_its_hold() -> None:
    hold_template("spring/offer", by="system", reason="132015: paused by Meta")
    assert reason("template-held", "spring_offer") == "132015: paused by Meta"


@pytest.mark.parametrize("name", ["t" * 101, "a/" * 60])
def test_a_template_with_a_long_name_has_its_reason(name: str) -> None:
    hold_template(name, by="system", reason="132015: paused by Meta")
    assert reason("template-held", label_of(gauges.TEMPLATE_HELD)) == "132015: paused by Meta"


# A description may be as long as a UUID, or longer than a label.
@pytest.mark.parametrize("description", ["shop", "", "shop/returns", "d" * 36, "d" * 200])
def test_a_disabled_subscription_says_what_its_endpoint_answered(description: str) -> None:
    Subscription.objects.create(
        url="https://a.example/", description=description, active=False, secret="x",
        disabled_at=timezone.now(), disabled_why="Answered 410.",
    )  # fmt: skip
    assert reason("subscription-disabled", label_of(gauges.SUBSCRIPTION_OFF)) == "Answered 410."


def test_the_reason_of_a_failed_check_is_what_it_found_and_its_next_step() -> None:
    for about, state, text in (("1/2", "failed", "No app"), ("1/3", "ok", "Other")):
        SetupFinding.objects.create(
            check_name="app", about=about, state=state, text=text, next_step="Subscribe it", checked_at=timezone.now()
        )
    assert reason("setup-check", "app 1_2") == "No app → Subscribe it"
    assert reason("setup-check", "app 1_3") == ""


@pytest.mark.parametrize("rule", [*REASONS, "lane-age"])
def test_an_alert_without_a_recorded_reason_has_none(rule: str) -> None:
    assert reason(rule, "nobody") == "" and not BusinessNumber.objects.filter(phone_number_id="nobody").exists()
