"""The tables of monitoring: what is counted (counts), how it was (samples), and what is wrong (alerts)."""

from monitoring.models.alerts import Alert, Notice, Silence
from monitoring.models.counts import Count, Position
from monitoring.models.samples import Sample

__all__ = ["Alert", "Count", "Notice", "Position", "Sample", "Silence"]
