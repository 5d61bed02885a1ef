"""The addresses of monitoring."""

from django.urls import path

from monitoring import dashboard, health
from monitoring.api import AlertsView, MetricsView, SummaryView
from monitoring.dead_letters_api import DeadLettersView, DiscardView, MoveView, RedriveView, StopMoveView
from monitoring.queues import QueueStatusView

urlpatterns = [
    path("messaging/queue/status", QueueStatusView.as_view(), name="queue-status"),
    path("monitoring/dashboard", dashboard.dashboard, name="monitoring-dashboard"),
    path("monitoring/history", dashboard.history, name="monitoring-history"),
    path("monitoring/summary", SummaryView.as_view(), name="monitoring-summary"),
    path("monitoring/alerts", AlertsView.as_view(), name="monitoring-alerts"),
    path("monitoring/metrics", MetricsView.as_view(), name="monitoring-metrics"),
    path("monitoring/dlq/<str:lane>", DeadLettersView.as_view(), name="dead-letters"),
    path("monitoring/dlq/<str:lane>/redrive", RedriveView.as_view(), name="redrive"),
    path("monitoring/dlq/<str:lane>/discard", DiscardView.as_view(), name="discard"),
    path("monitoring/moves/<int:pk>", MoveView.as_view(), name="move"),
    path("monitoring/moves/<int:pk>/stop", StopMoveView.as_view(), name="stop-move"),
    *(path(address.removeprefix("/"), view) for address, view in health.VIEWS.items()),
]
