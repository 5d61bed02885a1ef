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
    *(path(address.removeprefix("/"), view) for address, view in health.VIEWS.items()),
]
