"""Open alerts, and the state that they give a lane."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import BY_NAME, Severity, open_alerts, with_silences
from monitoring.dashboard.sections.state import State
from monitoring.models import Alert


@dataclass(frozen=True, slots=True)
class AlertView:
    """One open alert."""

    id: int
    rule: str
    key: str
    severity: str
    summary: str
    since: datetime
    acknowledged_by: str
    silenced: bool
    action: str
    link: str
    state: State


def alert_views() -> list[AlertView]:
    """The open alerts. Raises django.db errors."""
    return [_alert(alert) for alert in with_silences(open_alerts())]


def state_of(key: str, alerts: Sequence[AlertView], rules: tuple[str, ...]) -> State:
    """The worst state among the alerts of these rules on one key."""
    severities = [alert.severity for alert in alerts if alert.key == key and alert.rule in rules]
    if Severity.CRITICAL in severities:
        return State.TROUBLE
    return State.ATTENTION if severities else State.OK


def _alert(alert: Alert) -> AlertView:
    rule = BY_NAME.get(alert.rule)
    return AlertView(
        alert.pk,
        alert.rule,
        alert.key,
        alert.severity,
        alert.summary,
        alert.since,
        alert.acknowledged_by,
        alert.silenced,  # type: ignore[attr-defined]  # with_silences
        rule.action if rule else "",
        rule.link(alert.key) if rule else "",
        State.TROUBLE if alert.severity == Severity.CRITICAL else State.ATTENTION,
    )
