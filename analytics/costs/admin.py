"""Budgets and rate cards in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import Budget, Rate, RateCard
from messaging.access import record_action
from waproject.web.admin.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from waproject.web.admin.themed_admin import EditedColumns, ModelAdmin


@admin.register(Budget)
class BudgetAdmin(EditedColumns, ModelAdmin):  # type: ignore[type-arg]
    """Budgets with what is spent; the next check, within seconds, holds or releases."""

    list_display = ["__str__", "amount", "currency", "spent", "unpriced", "state", "active", "checked_at"]
    list_filter = ["state", "active", "period"]
    list_select_related = ["client"]
    search_fields = ["=campaign", "client__name"]
    readonly_fields = ["spent", "unpriced", "state", "checked_at"]

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        """Store and audit it."""
        super().save_model(request, obj, form, change)
        record_action(str(request.user), "budget", f"budget {obj.pk}", amount=f"{obj.amount} {obj.currency}")


class RateInline(ReadOnlyInline):
    """The prices of a card."""

    model = Rate
    fields = ["market", "category", "tier_from", "tier_to", "price"]
    ordering = ["market", "category", "tier_from"]


@admin.register(RateCard)
class RateCardAdmin(ReadOnlyAdmin):
    """Rate cards are imported, and looked at here."""

    list_display = ["name", "currency", "layout", "valid_from", "imported_at"]
    list_filter = ["currency", "layout"]
    inlines = [RateInline]
    list_before_template = "admin/analytics/ratecard/import.html"
