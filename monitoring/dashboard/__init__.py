"""The dashboard and the summary: the state of the whole pipeline."""

from monitoring.dashboard.overview import (
    Overview,
    read_overview,
)

__all__ = [
    "Overview",
    "read_overview",
]
