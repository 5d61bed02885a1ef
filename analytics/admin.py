"""The admin's view of events."""

from django.contrib import admin

from analytics.costs.admin import BudgetAdmin, RateCardAdmin
from analytics.models import Event
from waproject.web.admin.read_only_admin import ReadOnlyAdmin

__all__ = ["BudgetAdmin", "EventAdmin", "RateCardAdmin"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events, read-only."""

    list_display = ["occurred_at", "event_type", "source", "client_name", "contact", "reference"]
    list_filter = ["source", "event_type"]
    show_full_result_count = False
    search_fields = ["=event_type", "=client_name", "=event_id", "=contact", "=reference"]
    search_help_text = "An event type, client, event id, contact (digits alone) or reference, in full."
