"""What monitoring keeps."""

from monitoring.models.heartbeats import Heartbeat

__all__ = ["Heartbeat"]
