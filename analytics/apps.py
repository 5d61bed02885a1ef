"""Events of clients, and the answers about messages."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Reads what messaging stores."""

    name = "analytics"

    def ready(self) -> None:
        """Register the retention of events."""
        from analytics.retention import RULES
        from messaging.retention import register

        register(*RULES)
