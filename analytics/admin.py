"""The admin's view of events."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Events are facts: they are looked at, not edited."""

    list_display = ["occurred_at", "event_type", "source", "client_name"]
    list_filter = ["source", "event_type"]
    show_full_result_count = False
    search_fields = ["=event_type", "=client_name"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
