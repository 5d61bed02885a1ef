"""The tables of monitoring: what is counted (counts), how it was (samples), which processes live (heartbeats), and what
is wrong (alerts).
"""

from monitoring.models.alerts import Alert, Notice, Silence
from monitoring.models.counts import Count, Position
from monitoring.models.heartbeats import Heartbeat
from monitoring.models.samples import Sample

__all__ = ["Alert", "Count", "Heartbeat", "Notice", "Position", "Sample", "Silence"]
