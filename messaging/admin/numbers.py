"""The business numbers, their pace and whether they may send."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from messaging.models import (
    BusinessNumber,
)
from messaging.services import note


@admin.register(BusinessNumber)
class BusinessNumberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pace and pause of each number."""

    list_display = ["phone_number_id", "display_phone_number", "rate", "paused_at", "paused_by", "pause_reason"]
    readonly_fields = ["created_at"]
    actions = ["pause", "resume"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its messages would go with it."""
        return False

    @admin.action(description="Pause sending", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release nothing more; what is on its way still goes out."""
        who = str(request.user)
        count = self._change(queryset.filter(paused_at=None), "pause", who, paused_at=timezone.now(), paused_by=who)
        self.message_user(request, f"{count} paused.", messages.SUCCESS)

    @admin.action(description="Resume sending", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release again."""
        running = {"paused_at": None, "pause_reason": "", "paused_by": ""}
        count = self._change(queryset.exclude(paused_at=None), "resume", str(request.user), **running)
        self.message_user(request, f"{count} resumed.", messages.SUCCESS)

    def _change(self, numbers: QuerySet[BusinessNumber], action: str, who: str, **fields: object) -> int:
        with transaction.atomic():
            chosen = list(numbers.select_for_update())
            BusinessNumber.objects.filter(pk__in=[number.pk for number in chosen]).update(**fields)
            for number in chosen:
                note(who, action, f"number {number.pk}", reason=number.pause_reason)
        return len(chosen)
