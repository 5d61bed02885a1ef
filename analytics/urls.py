"""The addresses of analytics."""

from django.urls import path

from analytics.api import EventsView, TrackView

urlpatterns = [
    path("analytics/events", EventsView.as_view(), name="analytics-events"),
    # The address before there were others of analytics; it stays.
    path("messaging/analytics", TrackView.as_view(), name="analytics"),
]
