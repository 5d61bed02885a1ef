"""Tables of monitoring: counters (counts), samples, heartbeats of processes, alerts, and dead letters."""

from monitoring.models.alerts import Alert, Notice, Silence
from monitoring.models.counts import Count, Position
from monitoring.models.dead_letters import RedriveJob, TaskFailure
from monitoring.models.heartbeats import Heartbeat
from monitoring.models.samples import Sample
from monitoring.models.setup import SetupFinding

__all__ = [
    "Alert",
    "Count",
    "Heartbeat",
    "Notice",
    "Position",
    "RedriveJob",
    "Sample",
    "SetupFinding",
    "Silence",
    "TaskFailure",
]
