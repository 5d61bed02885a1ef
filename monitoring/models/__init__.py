"""The tables of monitoring: what is counted (counts), how it was (samples), which processes live (heartbeats), what is
wrong (alerts), and what failed for good (dead_letters).
"""

from monitoring.models.alerts import Alert, Notice, Silence
from monitoring.models.counts import Count, Position
from monitoring.models.dead_letters import Move, TaskFailure
from monitoring.models.heartbeats import Heartbeat
from monitoring.models.samples import Sample

__all__ = ["Alert", "Count", "Heartbeat", "Move", "Notice", "Position", "Sample", "Silence", "TaskFailure"]
