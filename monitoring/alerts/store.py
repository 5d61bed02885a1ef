"""Alerts in the database: open ones follow the state of their rules; each change creates its notices once."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from monitoring.alerts.reasons import reason_of
from monitoring.alerts.rules import BY_NAME, RULES
from monitoring.alerts.state import ActiveAlert, Rule, advance_all
from monitoring.metrics import Window
from monitoring.metrics.gauges import is_connection_lost
from monitoring.models import Alert, Notice, Silence

logger = logging.getLogger(__name__)

FIRED = "fired"
RESOLVED = "resolved"
SUMMARY_LENGTH = 300

ActiveAlerts = dict[str, dict[str, ActiveAlert]]


def open_alerts() -> QuerySet[Alert]:
    """The open alerts, the critical ones first."""
    return Alert.objects.filter(resolved_at=None).order_by("severity", "-fired_at")


def load_active_alerts(rules: Iterable[Rule] = RULES) -> ActiveAlerts:
    """The state from which a new leader continues: open alerts still fire, pending ones start anew."""
    _rename(rules)
    active: ActiveAlerts = {}
    for alert in Alert.objects.filter(resolved_at=None):
        active.setdefault(alert.rule, {})[alert.key] = ActiveAlert(alert.value, alert.since, firing=True)
    return active


def _rename(rules: Iterable[Rule]) -> None:
    """Give open alerts and silences under the former name of a rule its present name."""
    for rule in rules:
        if rule.former_name:
            Alert.objects.filter(rule=rule.former_name, resolved_at=None).update(rule=rule.name)
            Silence.objects.filter(rule=rule.former_name).update(rule=rule.name)


def evaluate(
    active: ActiveAlerts, window: Window, channels: Sequence[str], rules: Iterable[Rule] = RULES
) -> ActiveAlerts:
    """Advance every rule, record what fired and what ended, and create the notices for these channels."""
    rules = tuple(rules)
    with transaction.atomic():
        advanced = {rule.name: _advance(rule, active.get(rule.name, {}), window) for rule in rules}
        _close_alerts_of_removed_rules({rule.name for rule in rules}, window.now)
        _create_notices(channels, window.now)
    return advanced


def _advance(rule: Rule, active: dict[str, ActiveAlert], window: Window) -> dict[str, ActiveAlert]:
    """The next states of one rule, recorded. Where that fails nothing of it changes, and the other rules go on."""
    try:
        with transaction.atomic():
            advanced = advance_all(rule, active, window)
            _save(rule, {key: alert for key, alert in advanced.items() if alert.firing}, window)
            return advanced
    except Exception as error:
        if is_connection_lost():
            raise
        logger.error("the alert rule %s cannot be evaluated: %s", rule.name, type(error).__name__)
        return active


def _save(rule: Rule, firing: Mapping[str, ActiveAlert], window: Window) -> None:
    open_now = {alert.key: alert for alert in Alert.objects.filter(rule=rule.name, resolved_at=None)}
    for key, alert in open_now.items():
        if key not in firing:
            alert.resolved_at = window.now
            alert.save(update_fields=["resolved_at"])
        elif firing[key].value != alert.value:
            alert.value = firing[key].value
            # Between the thresholds the summary keeps the last reading that was over `fires_at`.
            if alert.value >= rule.fires_at:
                alert.summary = _summary(rule, key, alert.value, window)
            alert.save(update_fields=["value", "summary"])
    Alert.objects.bulk_create(
        Alert(
            rule=rule.name,
            key=key,
            severity=rule.severity,
            value=state.value,
            summary=_summary(rule, key, state.value, window),
            since=state.since,
            fired_at=window.now,
        )
        for key, state in sorted(firing.items())
        if key not in open_now
    )


def _summary(rule: Rule, key: str, value: float, window: Window) -> str:
    return rule.describe(key, value, _reason(rule, key, window))[:SUMMARY_LENGTH]


def _reason(rule: Rule, key: str, window: Window) -> str:
    """The recorded reason; empty where reading it fails: the alert, and all others, fire without it."""
    try:
        with transaction.atomic():
            return reason_of(rule.name, key, window)
    except Exception as error:
        if is_connection_lost():
            raise
        logger.error("the reason of an alert %s cannot be read: %s", rule.name, type(error).__name__)
        return ""


def _close_alerts_of_removed_rules(known: set[str], now: datetime) -> None:
    """Alerts of a rule that a release removed would otherwise stay open forever."""
    if known >= set(BY_NAME):
        Alert.objects.filter(resolved_at=None).exclude(rule__in=known).update(resolved_at=now)


def _create_notices(channels: Sequence[str], now: datetime) -> None:
    for channel in channels:
        fired = Notice.objects.filter(alert=OuterRef("pk"), channel=channel, event=FIRED)
        resolved = Notice.objects.filter(alert=OuterRef("pk"), channel=channel, event=RESOLVED)
        new = Alert.objects.filter(~Exists(_silences(now)), ~Exists(fired), resolved_at=None)
        # A channel hears of the end only if it heard of the alert.
        closed = Alert.objects.filter(Exists(fired), ~Exists(resolved), resolved_at__gt=now - timedelta(days=1))
        Notice.objects.bulk_create(
            [Notice(alert=alert, channel=channel, event=FIRED, next_try_at=now) for alert in new]
            + [Notice(alert=alert, channel=channel, event=RESOLVED, next_try_at=now) for alert in closed],
            ignore_conflicts=True,
        )


def _silences(now: datetime) -> QuerySet[Silence]:
    return Silence.objects.filter(Q(key="") | Q(key=OuterRef("key")), rule=OuterRef("rule"), until__gt=now)


def with_silences(alerts: QuerySet[Alert], now: datetime | None = None) -> QuerySet[Alert]:
    """The alerts, each with `alert.silenced`: whether a silence matches it."""
    return alerts.annotate(silenced=Exists(_silences(now or timezone.now())))


def acknowledge(alerts: QuerySet[Alert], by: str) -> int:
    """Record who works on these alerts; returns how many were not acknowledged before."""
    return alerts.filter(resolved_at=None, acknowledged_at=None).update(
        acknowledged_at=timezone.now(), acknowledged_by=by
    )
