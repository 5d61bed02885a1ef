"""What the pipeline shows of itself."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Reads what all others write."""

    name = "monitoring"

    def ready(self) -> None:
        """Describe the metrics' token."""
        from monitoring import openapi  # noqa: F401
