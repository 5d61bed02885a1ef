"""The dashboard and the summary: the state of the whole pipeline."""

from monitoring.dashboard.overview import (
    Overview,
    overview,
)

__all__ = [
    "Overview",
    "overview",
]
