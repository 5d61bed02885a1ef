"""Events of clients, and the answers about messages."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Reads what messaging stores."""

    name = "analytics"

    def ready(self) -> None:
        """Register the retention and erasure of events."""
        from analytics.erasure import TABLES
        from analytics.retention import RULES
        from messaging import erasure, retention

        retention.register(*RULES)
        erasure.register(*TABLES)
