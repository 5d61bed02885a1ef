"""The business numbers, their pace and whether they may send."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from messaging.models import (
    BusinessNumber,
)


@admin.register(BusinessNumber)
class BusinessNumberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pace and pause of each number."""

    list_display = ["phone_number_id", "display_phone_number", "rate", "paused_at", "pause_reason"]
    readonly_fields = ["created_at"]
    actions = ["pause", "resume"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its messages would go with it."""
        return False

    @admin.action(description="Pause sending", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release nothing more; what is on its way still goes out."""
        count = queryset.filter(paused_at=None).update(paused_at=timezone.now(), pause_reason=f"by {request.user}")
        self.message_user(request, f"{count} paused.", messages.SUCCESS)

    @admin.action(description="Resume sending", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release again."""
        count = queryset.exclude(paused_at=None).update(paused_at=None, pause_reason="")
        self.message_user(request, f"{count} resumed.", messages.SUCCESS)
