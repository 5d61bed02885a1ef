"""Events of clients, and the answers about messages."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Reads what messaging stores."""

    name = "analytics"

    def ready(self) -> None:
        """Register the retention and erasure of events, the check of budgets, and estimates."""
        from analytics.costs import check_budgets, estimate
        from analytics.erasure import TABLES
        from analytics.retention import RULES
        from analytics.rollups import count_listeners
        from messaging import erasure, estimates, retention

        retention.register(*RULES)
        erasure.register(*TABLES)
        count_listeners.register(check_budgets)
        estimates.register(estimate)
