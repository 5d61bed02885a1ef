"""Health: heartbeats of processes and the health endpoints."""

from monitoring.health.processes import (
    ProcessStatus,
    State,
    process_status,
)

__all__ = [
    "ProcessStatus",
    "State",
    "process_status",
]
