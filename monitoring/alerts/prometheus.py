"""The alert rules as a rule file for Prometheus, for deployments that run one beside the pipeline's own alerts."""

import json
import re
from collections.abc import Iterator

from monitoring.alerts.rules import RULES
from monitoring.alerts.state import Rule
from monitoring.metrics import SAMPLE_AGE

# Alerts whose names are not those of their rules in camel case. A name never changes: Alertmanager's routes and
# silences match it.
NAMES = {
    "dlq-not-empty": "DeadLetters",
    "duplicate-send": "MessageDoubled",
    "error-rate": "SendErrors",
    "unknown-held": "LostAnswersHeld",
    "webhook-signature": "WebhookSignatures",
    "webhook-not-taken": "WebhooksNotTaken",
}
HEAD = """\
# Written by `manage.py prometheus_rules` from monitoring/alerts/rules.py; do not edit. For those who run Prometheus
# beside the pipeline's own alerts (docs/operations.md, "Alerts"), which need none of this. Here, an alert starts and
# ends at one threshold. Scrape one web process, or the load balancer: the totals are those of all processes.
#
#   scrape_configs:
#     - job_name: waproject
#       metrics_path: /monitoring/metrics
#       scrape_interval: 30s
#       authorization: {credentials_file: /etc/prometheus/waproject-metrics-token}
#       static_configs: [{targets: ["HOST:443"]}]
#       scheme: https
groups:
  - name: waproject
    rules:
"""
# The monitor cannot report its own absence. Three missed ticks, and one for the scrape.
MONITOR_AWAY = f"""\
      - alert: MonitorAway
        expr: "absent({SAMPLE_AGE.name}) or {SAMPLE_AGE.name} > 120"
        for: 60s
        labels:
          severity: critical
        annotations:
          summary: "The pipeline's monitor does not run: its own alerts are neither evaluated nor sent."
          description: "Start `manage.py monitor`, and read the end of the last one's log."
"""


def rule_file() -> str:
    """The file's text: YAML with one group."""
    return HEAD + MONITOR_AWAY + "".join(line for rule in RULES for line in _alert(rule))


def alert_name(rule: str) -> str:
    """The name of a rule's alert in Prometheus."""
    return NAMES.get(rule) or "".join(word.capitalize() for word in rule.split("-"))


def _alert(rule: Rule) -> Iterator[str]:
    yield f"      - alert: {alert_name(rule.name)}\n"
    yield f"        expr: {_quoted(f'{rule.reading.promql} >= {rule.fires_at:g}')}\n"
    if rule.for_s:
        yield f"        for: {rule.for_s:g}s\n"
    if rule.clears_after_s:
        yield f"        keep_firing_for: {rule.clears_after_s:g}s\n"
    yield f"        labels:\n          severity: {rule.severity}\n        annotations:\n"
    for name, text in (("summary", rule.summary), ("description", rule.action), ("page", rule.page)):
        yield f"          {name}: {_quoted(_template(text, rule.reading.label))}\n"


def _template(text: str, label: str) -> str:
    """A text of a rule with Prometheus' templates for {key} and {value}."""
    text = text.replace("{key}", "{{ $labels." + label + " }}")
    text = text.replace("{value:.0%}", "{{ $value | humanizePercentage }}")
    return re.sub(r"\{value:(\.\d+f)\}", r'{{ $value | printf "%\1" }}', text)


def _quoted(text: str) -> str:
    # A JSON string is a YAML string, too.
    return json.dumps(text, ensure_ascii=False) if "'" in text else f"'{text}'"
