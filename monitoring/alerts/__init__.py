"""Alerts: rules, their state, open alerts and the channels that send notices."""

from monitoring.alerts.readings import (
    send_outcomes,
)
from monitoring.alerts.rules import (
    BY_NAME,
)
from monitoring.alerts.state import (
    Severity,
)
from monitoring.alerts.store import (
    open_alerts,
    with_silences,
)

__all__ = [
    "BY_NAME",
    "Severity",
    "open_alerts",
    "send_outcomes",
    "with_silences",
]
