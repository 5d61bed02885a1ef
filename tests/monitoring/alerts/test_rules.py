"""Alert rules: their readings and thresholds."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.alerts.readings import SILENCE_S
from monitoring.alerts.rules import BY_NAME, RULES
from monitoring.alerts.state import ActiveAlert, Rule, Severity, advance, advance_all
from monitoring.metrics import gauges
from monitoring.metrics.catalogue import METRICS
from monitoring.metrics.message_counts import FAILURES, MESSAGES
from tests.monitoring.snapshots import window, window_at
from waproject.metrics.counters import WEBHOOKS, Series

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACCEPTED: Series = (MESSAGES.name, "accepted")
UNKNOWN: Series = (MESSAGES.name, "unknown")
FAILED: Series = (FAILURES.name, "131026")
TAKEN: Series = (WEBHOOKS.name, "taken")
CRASHED: Series = (gauges.CRASHES.name, "incoming")
UNSIGNED: Series = (WEBHOOKS.name, "unsigned")
LOST: Series = (WEBHOOKS.name, "not_taken")

# rule, what the samples say one tick after the other, what is read
TABLE: list[tuple[str, list[dict[Series, float]], dict[str, float] | None]] = [
    ("lane-waiting", [{(gauges.QUEUE.name, "incoming", "waiting"): 7}], {"incoming": 7}),
    ("lane-waiting", [{(gauges.QUEUE.name, "incoming", "in_flight"): 7}], None),
    ("lane-age", [{(gauges.QUEUE_AGE.name, "outgoing"): 61}], {"outgoing": 61}),
    ("dlq-not-empty", [{(gauges.DLQ.name, "analytics"): 2}], {"analytics": 2}),
    ("dlq-not-empty", [{(gauges.SQS_UP.name,): 0}], None),
    ("sqs-away", [{(gauges.SQS_UP.name,): 0}], {"": 1}),
    ("process-gone", [{(gauges.PROCESS_GONE.name, "incoming@a"): 1}], {"incoming@a": 1}),
    ("dispatcher-lag", [{(gauges.LAG.name,): 45}], {"": 45}),
    ("error-rate", [{ACCEPTED: 100, FAILED: 3}, {ACCEPTED: 115, FAILED: 8}], {"": 0.25}),
    ("error-rate", [{ACCEPTED: 100}, {ACCEPTED: 118, UNKNOWN: 2}], {"": 0.1}),
    ("error-rate", [{FAILED: 0}, {FAILED: 9}], {"": 0}),
    ("unknown-held", [{(gauges.UNKNOWN.name, "yes"): 1}], {"": 1}),
    ("duplicate-send", [{(gauges.DUPLICATE_SENDS.name,): 1}], {"": 1}),
    ("number-paused", [{(gauges.PAUSED.name, "1065"): 1, (gauges.PAUSED.name, "1066"): 0}], {"1065": 1, "1066": 0}),
    ("number-probing", [{(gauges.PROBING.name, "1065"): 1}], {"1065": 1}),
    ("number-quality", [{(gauges.QUALITY_LOW.name, "1065"): 1}], {"1065": 1}),
    ("process-crashes", [{CRASHED: 2}, {CRASHED: 5, (gauges.CRASHES.name, "new"): 9}], {"incoming": 3, "new": 0}),
    ("process-crashes", [{CRASHED: 0}, {CRASHED: 4}], {"incoming": 4}),
    # A clean stop takes away the crashes before it.
    ("process-crashes", [{CRASHED: 9}, {CRASHED: 0}, {CRASHED: 3}], {"incoming": 3}),
    ("messaging-limit", [{(gauges.LIMIT_USED.name, "1"): 0.5, (gauges.LIMIT_USERS.name, "1"): 250}], {"1": 0.5}),
    ("quality-assessment", [{(gauges.ASSESSED_AGE.name,): 7200, (gauges.ASSESSED.name,): 3}], {"": 7200}),
    ("template-held", [{(gauges.TEMPLATE_HELD.name, "welcome"): 1}], {"welcome": 1}),
    ("budget-warned", [{(gauges.BUDGET_WARNED.name, "spring, in total"): 1}], {"spring, in total": 1}),
    ("budget-spent", [{(gauges.BUDGET_SPENT.name, "spring, in total"): 1}], {"spring, in total": 1}),
    ("rollups-standstill", [{(gauges.SWEEP_STANDSTILL.name,): 601.5}], {"": 601.5}),
    ("media-late", [{(gauges.MEDIA_FILES.name, "late"): 2, (gauges.MEDIA_FILES.name, "waiting"): 5}], {"": 2}),
    ("media-lost", [{(gauges.MEDIA_FILES.name, "lost"): 2, (gauges.MEDIA_FILES.name, "late"): 5}], {"": 2}),
    ("monitor-failing", [{(gauges.MONITOR_FAILED.name, "files"): 1}], {"files": 1}),
    (
        "setup-check",
        [{(gauges.SETUP_FAILED.name, "token"): 1, (gauges.SETUP_FAILED.name, "a"): 0}],
        {"token": 1, "a": 0},
    ),
    ("subscription-disabled", [{(gauges.SUBSCRIPTION_OFF.name, "shop"): 1}], {"shop": 1}),
    ("webhook-signature", [{UNSIGNED: 5}, {UNSIGNED: 17}], {"": 12}),
    ("webhook-not-taken", [{}, {(WEBHOOKS.name, "not_taken"): 1}], {"": 1}),
]


@pytest.mark.parametrize(("name", "values", "read"), TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)])
def test_a_rule_reads_the_samples(name: str, values: list[dict[Series, float]], read: dict[str, float] | None) -> None:
    assert BY_NAME[name].reading.read(window(*values)) == read


MISSING: dict[Series, float] = {(gauges.PROCESSES.name, "incoming"): 0, (gauges.PROCESSES.name, "beat"): 1}


def test_a_kind_without_a_running_process_is_missing() -> None:
    assert BY_NAME["process-missing"].reading.read(window(*[MISSING] * 3)) == {"incoming": 1, "beat": 0}


def test_no_process_is_missing_while_the_pipeline_starts() -> None:
    assert BY_NAME["process-missing"].reading.read(window(MISSING, MISSING)) is None


@pytest.mark.parametrize(
    ("accepted", "taken", "silent"), [(30, 0, 1), (30, 1, 0), (19, 0, 0)], ids=["silent", "webhooks", "too few"]
)
def test_webhooks_are_silent_if_meta_accepts_messages_and_sends_none(accepted: int, taken: int, silent: int) -> None:
    samples = window({ACCEPTED: 5, TAKEN: 8}, {ACCEPTED: 5 + accepted, TAKEN: 8 + taken}, every=SILENCE_S)
    assert BY_NAME["webhook-silence"].reading.read(samples) == {"": silent}


def test_webhook_silence_needs_samples_of_its_whole_window() -> None:
    assert BY_NAME["webhook-silence"].reading.read(window({ACCEPTED: 0}, {ACCEPTED: 99})) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_a_summary_and_an_action(rule: Rule) -> None:
    assert rule.describe("incoming", 12.0) and rule.action.endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_rule_ends_above_the_threshold_at_which_it_fires(rule: Rule) -> None:
    assert rule.clear_threshold <= rule.fires_at


def test_every_rule_has_its_section_in_the_operations_guide() -> None:
    guide = Path("docs/operations.md").read_text()
    sections = re.findall(r"^### `([a-z-]+)`$", guide, re.MULTILINE)
    assert sections == [rule.name for rule in RULES]


def test_the_guide_names_the_rules_that_end_at_the_next_reading() -> None:
    guide = " ".join(Path("docs/operations.md").read_text().split())
    listed = guide.split("lower threshold for a minute;", 1)[1].split("end at the next reading", 1)[0]
    assert re.findall(r"`([a-z-]+)`", listed) == [rule.name for rule in RULES if rule.clears_after_s == 0]
    assert {rule.clears_after_s for rule in RULES} == {0, 60}


def test_every_section_has_steps() -> None:
    guide = Path("docs/operations.md").read_text().split("## Alerts", 1)[1].split("\n## ", 1)[0]
    assert all("\n1. " in section for section in guide.split("\n### `")[1:])


def test_every_metric_has_its_own_name_and_meaning() -> None:
    assert all(name.startswith("waproject_") and metric.meaning for name, metric in METRICS.items())


@pytest.mark.django_db
@pytest.mark.usefixtures("sqs")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_link_of_an_alert_leads_to_a_page(rule: Rule, admin_client: Any) -> None:
    assert admin_client.get(rule.link("incoming")).status_code == 200


PRESENT: dict[Series, float] = {(gauges.PROCESSES.name, "incoming"): 1}
ABSENT: dict[Series, float] = {(gauges.PROCESSES.name, "incoming"): 0}
GONE: Series = (gauges.PROCESS_GONE.name, "incoming@a")
SECOND_GONE: Series = (gauges.PROCESS_GONE.name, "incoming-2@a")
# What the samples say at which second, and whether a process is missing.
RESTARTS: dict[str, tuple[dict[float, dict[Series, float]], float]] = {
    "a stop of a moment": ({0: PRESENT, 30: PRESENT, 60: PRESENT, 90: ABSENT}, 0),
    "a restart of half a minute": ({0: PRESENT, 30: PRESENT, 60: ABSENT, 90: ABSENT}, 0),
    "59 s after the stop": ({0: PRESENT, 30: PRESENT, 35: ABSENT, 60: ABSENT, 94: ABSENT}, 0),
    "60 s after the stop": ({0: PRESENT, 30: PRESENT, 35: ABSENT, 60: ABSENT, 95: ABSENT}, 1),
    "back after a restart": ({0: PRESENT, 30: PRESENT, 60: ABSENT, 90: PRESENT}, 0),
    "killed just now": ({0: PRESENT, 30: PRESENT, 60: PRESENT, 90: {**ABSENT, GONE: 1}}, 1),
    "the second of a host killed just now": ({0: PRESENT, 30: PRESENT, 60: {**ABSENT, SECOND_GONE: 1}}, 1),
    "a restart beside one that was killed before": (
        {0: {**PRESENT, GONE: 1}, 30: {**PRESENT, GONE: 1}, 60: {**ABSENT, GONE: 1}},
        0,
    ),
    "one of another kind killed just now": (
        {0: PRESENT, 30: PRESENT, 60: {**ABSENT, (gauges.PROCESS_GONE.name, "outgoing@a"): 1}},
        0,
    ),
    "a stop right after a gap in the samples": ({0: PRESENT, 600: PRESENT, 650: ABSENT}, 0),
    "a gap in the samples during a restart": ({0: PRESENT, 30: PRESENT, 600: ABSENT, 650: ABSENT}, 0),
}


@pytest.mark.parametrize(("samples", "missing"), RESTARTS.values(), ids=RESTARTS)
def test_a_graceful_restart_is_not_a_missing_process(samples: dict[float, dict[Series, float]], missing: int) -> None:
    assert BY_NAME["process-missing"].reading.read(window_at(samples)) == {"incoming": missing}


@pytest.mark.parametrize(("seconds", "unknown"), [(44, True), (45, False)])
def test_no_process_is_missing_in_the_first_45_seconds(seconds: float, unknown: bool) -> None:
    reading = BY_NAME["process-missing"].reading.read(window_at({0: ABSENT, seconds: ABSENT}))
    assert (reading is None) == unknown


def test_a_restarted_monitor_does_not_resolve_a_missing_process() -> None:
    firing = {"incoming": ActiveAlert(1, NOW, firing=True)}
    samples = window_at({0: ABSENT, 600: ABSENT})
    assert advance_all(BY_NAME["process-missing"], firing, samples) == firing


# What happened at which second; and what the rule reads at the end. "Five minutes" are five minutes, also after a gap.
GAPS: list[tuple[str, dict[float, dict[Series, float]], dict[str, float] | None]] = [
    ("webhook-signature", {0: {UNSIGNED: 0}, 300: {UNSIGNED: 9}}, {"": 9}),
    ("webhook-signature", {0: {UNSIGNED: 0}, 390: {UNSIGNED: 9}}, {"": 9}),
    ("webhook-signature", {0: {UNSIGNED: 0}, 391: {UNSIGNED: 9}}, {"": 0}),
    ("webhook-signature", {0: {UNSIGNED: 0}, 900: {UNSIGNED: 50}, 930: {UNSIGNED: 53}}, {"": 3}),
    ("error-rate", {0: {FAILED: 0}, 900: {FAILED: 50, ACCEPTED: 10}, 930: {FAILED: 50, ACCEPTED: 40}}, {"": 0}),
    ("process-crashes", {0: {CRASHED: 0}, 990: {CRASHED: 3}}, {"incoming": 3}),
    ("process-crashes", {0: {CRASHED: 0}, 991: {CRASHED: 3}}, {"incoming": 0}),
    # These were lost while the database, and so the monitor, was unreachable.
    ("webhook-not-taken", {0: {LOST: 0}, 900: {LOST: 7}}, {"": 7}),
    ("webhook-silence", {0: {ACCEPTED: 0, TAKEN: 5}, 900: {ACCEPTED: 20, TAKEN: 5}}, {"": 1}),
    ("webhook-silence", {0: {ACCEPTED: 0, TAKEN: 5}, 900: {ACCEPTED: 19, TAKEN: 5}}, {"": 0}),
    ("webhook-silence", {0: {ACCEPTED: 0, TAKEN: 5}, 900: {ACCEPTED: 20, TAKEN: 6}}, {"": 0}),
    ("webhook-silence", {0: {ACCEPTED: 0, TAKEN: 5}, 899: {ACCEPTED: 20, TAKEN: 5}}, None),
    # A short time after a gap is no silence of 15 minutes.
    ("webhook-silence", {0: {TAKEN: 5}, 950: {ACCEPTED: 0, TAKEN: 9}, 980: {ACCEPTED: 30, TAKEN: 9}}, {"": 0}),
]


@pytest.mark.parametrize(("name", "samples", "read"), GAPS, ids=[f"{n}-{row[0]}" for n, row in enumerate(GAPS)])
def test_a_rule_counts_the_time_that_its_summary_names(
    name: str, samples: dict[float, dict[Series, float]], read: dict[str, float] | None
) -> None:
    assert BY_NAME[name].reading.read(window_at(samples)) == read


@pytest.mark.parametrize(("outcomes", "rate"), [(19, 0), (20, 1)])
def test_an_error_rate_needs_20_outcomes(outcomes: int, rate: float) -> None:
    assert BY_NAME["error-rate"].reading.read(window({FAILED: 0}, {FAILED: outcomes})) == {"": rate}


W, C = Severity.WARNING, Severity.CRITICAL
# rule, severity, the highest reading that does not fire and the lowest that does, seconds for which it must last,
# and the reading at or above which it is not over. Written out, so that a change of a rule is a decision.
THRESHOLDS = [
    ("lane-waiting", W, 4999, 5000, 120, 2500),
    ("lane-age", C, 179, 180, 60, 60),
    ("dlq-not-empty", W, 0, 1, 0, 1),
    ("sqs-away", C, 0, 1, 60, 1),
    ("process-missing", C, 0, 1, 0, 1),
    ("process-gone", W, 0, 1, 0, 1),
    ("process-crashes", W, 2, 3, 0, 1),
    ("dispatcher-lag", C, 59, 60, 30, 10),
    ("error-rate", C, 0.0999, 0.1, 60, 0.05),
    ("unknown-held", W, 0, 1, 0, 1),
    ("duplicate-send", W, 0, 1, 0, 1),
    ("number-paused", C, 0, 1, 0, 1),
    ("number-probing", C, 0, 1, 30, 1),
    ("number-quality", W, 0, 1, 0, 1),
    ("messaging-limit", W, 0.79, 0.8, 0, 0.75),
    ("template-held", W, 0, 1, 0, 1),
    ("quality-assessment", W, 7199, 7200, 0, 3600),
    ("budget-warned", W, 0, 1, 0, 1),
    ("budget-spent", C, 0, 1, 0, 1),
    ("rollups-standstill", W, 599, 600, 0, 60),
    ("subscription-disabled", W, 0, 1, 0, 1),
    ("media-late", W, 0, 1, 0, 1),
    ("media-lost", W, 0, 1, 0, 1),
    ("monitor-failing", C, 0, 1, 60, 1),
    ("setup-check", C, 0, 1, 0, 1),
    ("webhook-silence", C, 0, 1, 0, 1),
    ("webhook-signature", W, 9, 10, 0, 1),
    ("webhook-not-taken", C, 0, 1, 0, 1),
]


def fires(rule: Rule, value: float, for_s: float) -> bool:
    began = advance(rule, None, value, NOW)
    later = advance(rule, began, value, NOW + timedelta(seconds=for_s))
    return later is not None and later.firing


def test_each_rule_has_its_thresholds_in_the_table() -> None:
    assert [name for name, *_ in THRESHOLDS] == [rule.name for rule in RULES]


@pytest.mark.parametrize("row", THRESHOLDS, ids=[row[0] for row in THRESHOLDS])
def test_a_rule_fires_at_its_threshold_and_not_below(
    row: tuple[str, Severity, float, float, float, float],
) -> None:
    name, severity, below, at, for_s, _clear = row
    rule = BY_NAME[name]
    assert (rule.severity, fires(rule, below, for_s + 1), fires(rule, at, for_s)) == (severity, False, True)
    assert not for_s or not fires(rule, at, for_s - 1)


@pytest.mark.parametrize("row", THRESHOLDS, ids=[row[0] for row in THRESHOLDS])
def test_a_rule_ends_below_its_lower_threshold(
    row: tuple[str, Severity, float, float, float, float],
) -> None:
    name, _severity, _below, at, for_s, clear = row
    rule = BY_NAME[name]
    began = advance(rule, None, at, NOW)
    firing = advance(rule, began, at, NOW + timedelta(seconds=for_s))
    ended = firing
    for seconds in (1, 62):
        ended = advance(rule, ended, clear - clear / 100, NOW + timedelta(seconds=for_s + seconds))
    assert advance(rule, firing, clear, NOW + timedelta(seconds=for_s + 62)) and ended is None
