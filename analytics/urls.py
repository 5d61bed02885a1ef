"""The addresses of analytics."""

from django.urls import path

from analytics.api import EventsView, TrackView
from analytics.costs.api import CostsView
from analytics.costs.budgets_api import BudgetsView

urlpatterns = [
    path("analytics/events", EventsView.as_view(), name="analytics-events"),
    path("analytics/costs", CostsView.as_view(), name="analytics-costs"),
    path("analytics/budgets", BudgetsView.as_view(), name="analytics-budgets"),
    # The address before there were others of analytics; it stays.
    path("messaging/analytics", TrackView.as_view(), name="analytics"),
]
