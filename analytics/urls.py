"""The addresses of analytics."""

from django.urls import path

from analytics.api import EventsView, TrackView
from analytics.costs.api import CostsView

urlpatterns = [
    path("analytics/events", EventsView.as_view(), name="analytics-events"),
    path("analytics/costs", CostsView.as_view(), name="analytics-costs"),
    # The address before there were others of analytics; it stays.
    path("messaging/analytics", TrackView.as_view(), name="analytics"),
]
