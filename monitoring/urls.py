"""URLs of monitoring."""

from django.urls import path

from monitoring.api import AlertsView, MetricsView, ProviderView, SummaryView
from monitoring.dashboard.views import dashboard, history
from monitoring.dead_letters.api import DeadLettersView, DiscardView, RedriveJobView, RedriveView, StopRedriveJobView
from monitoring.health.views import VIEWS
from monitoring.queue_status import QueueStatusView

urlpatterns = [
    path("messaging/queue/status", QueueStatusView.as_view(), name="queue-status"),
    path("monitoring/dashboard", dashboard, name="monitoring-dashboard"),
    path("monitoring/history", history, name="monitoring-history"),
    path("monitoring/summary", SummaryView.as_view(), name="monitoring-summary"),
    path("monitoring/alerts", AlertsView.as_view(), name="monitoring-alerts"),
    path("monitoring/metrics", MetricsView.as_view(), name="monitoring-metrics"),
    path("monitoring/provider", ProviderView.as_view(), name="monitoring-provider"),
    path("monitoring/dlq/<str:lane>", DeadLettersView.as_view(), name="dead-letters"),
    path("monitoring/dlq/<str:lane>/redrive", RedriveView.as_view(), name="redrive"),
    path("monitoring/dlq/<str:lane>/discard", DiscardView.as_view(), name="discard"),
    path("monitoring/moves/<int:pk>", RedriveJobView.as_view(), name="move"),
    path("monitoring/moves/<int:pk>/stop", StopRedriveJobView.as_view(), name="stop-move"),
    *(path(address.removeprefix("/"), view) for address, view in VIEWS.items()),
]
