"""Events of clients, and the answers about messages."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Reads what messaging stores."""

    name = "analytics"
