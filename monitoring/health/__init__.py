"""Health: heartbeats of processes and the health endpoints."""

from monitoring.health.heartbeats import (
    delete_expired,
    settle_replaced,
)
from monitoring.health.processes import (
    ProcessStatus,
    State,
    process_status,
)

__all__ = [
    "ProcessStatus",
    "State",
    "delete_expired",
    "process_status",
    "settle_replaced",
]
