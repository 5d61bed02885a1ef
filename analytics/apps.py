"""Events of the pipeline and of its clients."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Listens to messaging."""

    name = "analytics"

    def ready(self) -> None:
        """Connect the receivers."""
        from analytics import receivers  # noqa: F401
