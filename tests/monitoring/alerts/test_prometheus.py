"""The rule file for Prometheus: generated from the rules, valid YAML, with existing metrics and labels only."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from monitoring.alerts.prometheus import alert_name, rule_file
from monitoring.alerts.rules import RULES
from monitoring.alerts.state import Rule
from monitoring.metrics.catalogue import METRICS
from tests.monitoring.metric_names import exposed_names

SHIPPED = Path("deploy/prometheus/rules.yml")
ALERTS: list[dict[str, Any]] = yaml.safe_load(SHIPPED.read_text())["groups"][0]["rules"]
FUNCTIONS = {"absent", "count", "increase", "label_replace", "max_over_time", "min_over_time", "sum", "vector"}
KEYWORDS = {"and", "bool", "by", "offset", "on", "or"}
TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<range>\[\d+s\])|(?P<duration>\d+s\b)|(?P<number>\d+(?:\.\d+)?)
    |(?P<matchers>\{[^}]*\})|(?P<name>[a-z_][a-z0-9_]*)|(?P<operator>==|>=|<=|!=|[-+*/(),<>]))""",
    re.VERBOSE,
)
# The names under which installed configurations route these alerts.
PUBLIC_NAMES = {
    "lane-waiting": "LaneWaiting",
    "lane-age": "LaneAge",
    "dlq-not-empty": "DeadLetters",
    "sqs-away": "SqsAway",
    "process-missing": "ProcessMissing",
    "process-gone": "ProcessGone",
    "process-crashes": "ProcessCrashes",
    "dispatcher-lag": "DispatcherLag",
    "error-rate": "SendErrors",
    "unknown-held": "LostAnswersHeld",
    "duplicate-send": "MessageDoubled",
    "number-paused": "NumberPaused",
    "number-quality": "NumberQuality",
    "subscription-disabled": "SubscriptionDisabled",
    "webhook-signature": "WebhookSignatures",
    "webhook-not-taken": "WebhooksNotTaken",
}


def tokens(expression: str) -> list[tuple[str, str]]:
    """The kinds and texts of an expression's tokens."""
    found, at = [], 0
    while at < len(expression.rstrip()):
        match = TOKEN.match(expression, at)
        assert match and match.lastgroup, f"no PromQL: {expression[at:]!r}"
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def labels_of(metric: str) -> set[str]:
    return set(METRICS[metric].labels)


def test_the_shipped_file_is_what_the_rules_say() -> None:
    assert SHIPPED.read_text() == rule_file()


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    call_command("prometheus_rules", tmp_path / "rules.yml")
    assert (tmp_path / "rules.yml").read_text() == rule_file()


def test_a_file_that_cannot_be_written_is_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        call_command("prometheus_rules", tmp_path)


def test_every_rule_has_one_alert_after_that_of_the_monitor_itself() -> None:
    assert [alert["alert"] for alert in ALERTS] == ["MonitorAway", *(alert_name(rule.name) for rule in RULES)]


@pytest.mark.parametrize(("rule", "name"), PUBLIC_NAMES.items())
def test_the_names_of_alerts_do_not_change(rule: str, name: str) -> None:
    assert alert_name(rule) == name


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_expression_uses_existing_metrics_labels_and_functions(alert: dict[str, Any]) -> None:
    metric = ""
    for kind, text in tokens(alert["expr"]):
        if kind == "name" and text not in FUNCTIONS | KEYWORDS | {"kind"}:
            assert text in exposed_names()
            metric = text
        elif kind == "matchers":
            labels = set(re.findall(r'(\w+)="[^"]*"', text))
            assert labels and labels <= labels_of(metric)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_the_parentheses_of_an_expression_are_balanced(alert: dict[str, Any]) -> None:
    depth = 0
    for _, text in tokens(alert["expr"]):
        depth += (text == "(") - (text == ")")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("broken", ["waproject_no_such_metric > 1", 'waproject_sqs_up{queue="x"} == 0'])
def test_the_check_of_expressions_finds_faults(broken: str) -> None:
    with pytest.raises(AssertionError):
        test_an_expression_uses_existing_metrics_labels_and_functions({"alert": "x", "expr": broken})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_with_a_key_names_the_label_that_holds_it(rule: Rule) -> None:
    label = rule.reading.label
    assert bool(label) == ("{key}" in rule.summary)
    metric = next(text for kind, text in tokens(rule.reading.promql) if kind == "name" and text in METRICS)
    assert not label or label in labels_of(metric)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LaneWaiting", {"expr": 'waproject_queue_messages{state="waiting"} >= 5000', "for": "120s",
                         "keep_firing_for": "60s", "labels": {"severity": "warning"}}),
        ("SqsAway", {"expr": "1 - waproject_sqs_up >= 1", "for": "60s", "labels": {"severity": "critical"}}),
        ("NumberPaused", {"expr": "waproject_number_paused >= 1", "labels": {"severity": "critical"}}),
        ("MediaLate", {"expr": 'waproject_media_files{state="late"} >= 1', "labels": {"severity": "warning"}}),
    ],
)  # fmt: skip
def test_an_alert_has_the_threshold_and_duration_of_its_rule(name: str, expected: dict[str, Any]) -> None:
    (alert,) = [alert for alert in ALERTS if alert["alert"] == name]
    assert {key: alert[key] for key in expected} == expected


def test_an_alert_that_ends_at_once_is_not_kept_firing() -> None:
    (alert,) = [alert for alert in ALERTS if alert["alert"] == "NumberPaused"]
    assert "keep_firing_for" not in alert and "for" not in alert


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_annotations_have_templates_of_prometheus_only(alert: dict[str, Any]) -> None:
    texts = " ".join(alert["annotations"].values())
    assert not re.search(r"\{(?!\{)[a-z]+[:}]", texts.replace("{{", "").replace("}}", ""))


def test_a_summary_shows_the_key_and_the_value() -> None:
    (alert,) = [alert for alert in ALERTS if alert["alert"] == "DeadLetters"]
    assert alert["annotations"] == {
        "summary": 'The dead-letter queue of {{ $labels.lane }} holds {{ $value | printf "%.0f" }} messages.',
        "description": "Read why they failed, then redrive or discard them.",
        "page": "/admin/monitoring/redrivejob/lane/{{ $labels.lane }}/",
    }
