"""The addresses of analytics."""

from django.urls import path

from analytics.api import AnalyticsView

urlpatterns = [path("messaging/analytics", AnalyticsView.as_view(), name="analytics")]
