"""The addresses of analytics."""

from django.urls import path

from analytics.api import EventsView, TrackView
from analytics.costs.api import CostsView
from analytics.costs.budgets_api import BudgetsView
from analytics.export.api import ExportView
from analytics.page.views import analytics_page
from analytics.questions.api import VIEWS

urlpatterns = [
    path("analytics/", analytics_page, name="analytics-page"),
    path("analytics/events", EventsView.as_view(), name="analytics-events"),
    *(path(f"analytics/{name}", view.as_view(), name=f"analytics-{name}") for name, view in VIEWS.items()),
    path("analytics/costs", CostsView.as_view(), name="analytics-costs"),
    path("analytics/export", ExportView.as_view(), name="analytics-export"),
    path("analytics/budgets", BudgetsView.as_view(), name="analytics-budgets"),
    # The address before there were others of analytics; it stays.
    path("messaging/analytics", TrackView.as_view(), name="analytics"),
]
