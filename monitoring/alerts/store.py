"""Alerts in the database: open ones follow the state of their rules, and each change creates its notices once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from monitoring.alerts.reasons import reason_of
from monitoring.alerts.rules import BY_NAME, RULES
from monitoring.alerts.state import Rule, Standing, step_all
from monitoring.metrics import Window
from monitoring.models import Alert, Notice, Silence

FIRED = "fired"
RESOLVED = "resolved"
SUMMARY_LENGTH = 300
KEY_LENGTH = 150

Standings = dict[str, dict[str, Standing]]


def open_alerts() -> QuerySet[Alert]:
    """What is wrong now."""
    return Alert.objects.filter(resolved_at=None).order_by("severity", "-fired_at")


def standings_of_open_alerts() -> Standings:
    """Where a monitor that starts goes on: what fired fires still, what waited waits anew."""
    found: Standings = {}
    for alert in Alert.objects.filter(resolved_at=None):
        found.setdefault(alert.rule, {})[alert.key] = Standing(alert.value, alert.since, firing=True)
    return found


def evaluate(standings: Standings, window: Window, channels: Sequence[str], rules: Iterable[Rule] = RULES) -> Standings:
    """Step every rule, write down what fired and what is over, and make the notices for these channels."""
    rules = tuple(rules)
    stepped: Standings = {rule.name: step_all(rule, standings.get(rule.name, {}), window) for rule in rules}
    with transaction.atomic():
        for rule in rules:
            firing = {key: standing for key, standing in stepped[rule.name].items() if standing.firing}
            _write(rule, firing, window.now)
        _close_alerts_of_unknown_rules({rule.name for rule in rules}, window.now)
        _make_notices(channels, window.now)
    return stepped


def _write(rule: Rule, firing: Mapping[str, Standing], now: datetime) -> None:
    open_now = {alert.key: alert for alert in Alert.objects.filter(rule=rule.name, resolved_at=None)}
    for key, alert in open_now.items():
        if key not in firing:
            alert.resolved_at = now
            alert.save(update_fields=["resolved_at"])
        elif firing[key].value != alert.value:
            alert.value = firing[key].value
            # Its words are those of the worst reading so far as long as it fires only by hysteresis.
            if alert.value >= rule.fires_at:
                alert.summary = _summary(rule, key, alert.value)
            alert.save(update_fields=["value", "summary"])
    Alert.objects.bulk_create(
        Alert(
            rule=rule.name,
            key=key[:KEY_LENGTH],
            severity=rule.severity,
            value=standing.value,
            summary=_summary(rule, key, standing.value),
            since=standing.since,
            fired_at=now,
        )
        for key, standing in sorted(firing.items())
        if key not in open_now
    )


def _summary(rule: Rule, key: str, value: float) -> str:
    return rule.describe(key, value, reason_of(rule.name, key))[:SUMMARY_LENGTH]


def _close_alerts_of_unknown_rules(known: set[str], now: datetime) -> None:
    """A rule that a release took away would else stay open for ever."""
    if known >= set(BY_NAME):
        Alert.objects.filter(resolved_at=None).exclude(rule__in=known).update(resolved_at=now)


def _make_notices(channels: Sequence[str], now: datetime) -> None:
    for channel in channels:
        fired = Notice.objects.filter(alert=OuterRef("pk"), channel=channel, event=FIRED)
        ended = Notice.objects.filter(alert=OuterRef("pk"), channel=channel, event=RESOLVED)
        new = Alert.objects.filter(~Exists(_silences(now)), ~Exists(fired), resolved_at=None)
        # Nobody is told of the end of what nobody was told of.
        over = Alert.objects.filter(Exists(fired), ~Exists(ended), resolved_at__gt=now - timedelta(days=1))
        Notice.objects.bulk_create(
            [Notice(alert=alert, channel=channel, event=FIRED, next_try_at=now) for alert in new]
            + [Notice(alert=alert, channel=channel, event=RESOLVED, next_try_at=now) for alert in over],
            ignore_conflicts=True,
        )


def _silences(now: datetime) -> QuerySet[Silence]:
    return Silence.objects.filter(Q(key="") | Q(key=OuterRef("key")), rule=OuterRef("rule"), until__gt=now)


def with_silences(alerts: QuerySet[Alert], now: datetime | None = None) -> QuerySet[Alert]:
    """Alerts that know whether somebody silenced them: `alert.silenced`."""
    return alerts.annotate(silenced=Exists(_silences(now or timezone.now())))


def acknowledge(alerts: QuerySet[Alert], who: str) -> int:
    """Somebody looks after these; returns how many were not acknowledged before."""
    return alerts.filter(resolved_at=None, acknowledged_at=None).update(
        acknowledged_at=timezone.now(), acknowledged_by=who
    )
