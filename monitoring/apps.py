"""Health, metrics, alerts, dead letters and the dashboard."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Keeps the record of which processes live, and reads what all others write."""

    name = "monitoring"

    def ready(self) -> None:
        """Register the keeper, the processes that Celery starts and why tasks fail; describe the metrics' token."""
        from monitoring import openapi  # noqa: F401
        from monitoring.dead_letters import task_failures
        from monitoring.health import celery_liveness
        from monitoring.health.heartbeats import DatabaseKeeper
        from waproject.worker import liveness

        liveness.use_store(DatabaseKeeper())
        celery_liveness.install()
        task_failures.install()
