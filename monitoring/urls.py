"""The addresses of monitoring."""

from django.urls import path

from monitoring import health
from monitoring.queues import QueueStatusView

urlpatterns = [
    path("messaging/queue/status", QueueStatusView.as_view(), name="queue-status"),
    path("messaging/health", health.ready, name="messaging-health"),
    path("health", health.ready, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]
