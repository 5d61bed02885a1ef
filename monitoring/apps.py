"""What the pipeline shows of itself."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Nothing to do at start."""

    name = "monitoring"
