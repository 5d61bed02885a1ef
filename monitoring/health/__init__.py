"""Health: heartbeats of processes and the health endpoints."""

from monitoring.health.processes import (
    State,
    Workers,
    workers,
)

__all__ = [
    "State",
    "Workers",
    "workers",
]
