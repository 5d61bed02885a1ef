"""Health, metrics, alerts, dead letters and the dashboard."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Connects heartbeats, task failures and the metrics token when Django starts."""

    name = "monitoring"

    def ready(self) -> None:
        """Register the store of heartbeats and Celery's signals; describe the metrics token."""
        from messaging import erasure
        from monitoring import openapi  # noqa: F401
        from monitoring.dead_letters import task_failures
        from monitoring.dead_letters.erasure import TABLES
        from monitoring.health import celery_liveness
        from monitoring.health.heartbeats import DatabaseLivenessStore
        from waproject.worker import liveness

        liveness.use_store(DatabaseLivenessStore())
        celery_liveness.install()
        task_failures.install()
        erasure.register(*TABLES)
