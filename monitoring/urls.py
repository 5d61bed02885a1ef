"""The addresses of monitoring."""

from django.urls import path

from monitoring import dashboard, health
from monitoring.api import AlertsView, MetricsView, SummaryView
from monitoring.queues import QueueStatusView

urlpatterns = [
    path("messaging/queue/status", QueueStatusView.as_view(), name="queue-status"),
    path("monitoring/dashboard", dashboard.dashboard, name="monitoring-dashboard"),
    path("monitoring/history", dashboard.history, name="monitoring-history"),
    path("monitoring/summary", SummaryView.as_view(), name="monitoring-summary"),
    path("monitoring/alerts", AlertsView.as_view(), name="monitoring-alerts"),
    path("monitoring/metrics", MetricsView.as_view(), name="monitoring-metrics"),
    path("messaging/health", health.ready, name="messaging-health"),
    path("health", health.ready, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]
