"""Business numbers in the admin: pace, pause and resume."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from messaging.access import record_action
from messaging.models import (
    BusinessNumber,
)
from messaging.outgoing.holds.suspensions import first_refused_message, pause, resume
from waproject.web.admin.themed_admin import META_ID, EditedColumns, ModelAdmin, TextInput

META_FACTS = (
    "display_phone_number", "verified_name", "quality", "throughput", "messaging_limit", "status", "account_mode",
    "name_status", "synced_at",
)  # fmt: skip
# Of the actions `pause` and `resume`, and of Meta's refusals.
PAUSE = ("paused_at", "pause_reason", "paused_by")


class BusinessNumberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A number by Meta's ids."""

    phone_number_id = forms.CharField(
        max_length=32,
        validators=[META_ID],
        widget=TextInput,
        help_text="Meta's id, not the number itself.",
    )
    waba_id = forms.CharField(label="WABA id", required=False, max_length=32, validators=[META_ID], widget=TextInput)

    def clean_rate(self) -> int:
        """Refuse 0, at which messages would wait without a reason that anyone sees."""
        rate: int = self.cleaned_data["rate"]
        if not rate:
            raise ValidationError("At least 1. To send nothing, pause the number.")
        return rate


@admin.register(BusinessNumber)
class BusinessNumberAdmin(EditedColumns, ModelAdmin):  # type: ignore[type-arg]
    """Business numbers with pace and pause."""

    list_display = [
        "phone_number_id",
        "display_phone_number",
        "quality",
        "status",
        "rate",
        "paused_at",
        "paused_by",
        "pause_reason",
    ]
    form = BusinessNumberForm
    actions = ["pause", "resume"]

    def get_readonly_fields(self, request: HttpRequest, obj: BusinessNumber | None = None) -> list[str]:
        """What Meta owns, and the pause. The account's id can be given until Meta has named it."""
        ids = [] if obj is None else ["phone_number_id", *(["waba_id"] if obj.synced_at else [])]
        return [*META_FACTS, *PAUSE, *ids, "created_at"]

    def buttons_of(self, obj: BusinessNumber) -> set[str]:
        """A paused number is resumed, another one paused."""
        return {"pause"} if obj.paused_at is None else {"resume"}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its messages would be deleted with it."""
        return False

    @admin.action(description="Pause sending", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release nothing more; messages in flight are still sent."""
        who = str(request.user)
        with transaction.atomic():
            paused = pause(list(queryset.values_list("pk", flat=True)), reason="by hand", by=who)
            for pk in paused:
                record_action(who, "pause", f"number {pk}")
        self.message_user(request, f"{len(paused)} paused.", messages.SUCCESS)

    @admin.action(description="Resume sending", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release messages again, and warn of one that may pause the number at once."""
        with transaction.atomic():
            paused = list(queryset.exclude(paused_at=None).values_list("pk", "pause_reason"))
            resume([pk for pk, _ in paused])
            for pk, reason in paused:
                record_action(str(request.user), "resume", f"number {pk}", reason=reason)
        self.message_user(request, f"{len(paused)} resumed.", messages.SUCCESS)
        for pk, _ in paused:
            self._warn(request, pk)

    def _warn(self, request: HttpRequest, number_id: int) -> None:
        """Warn that the message whose refusal paused the number is sent first and may be refused again."""
        first = first_refused_message(number_id)
        if first is not None:
            url = reverse("admin:messaging_message_change", args=[first.pk])
            text = "The next message of {} was refused when the number was paused (“{}”) and may pause it again: {}"
            link = format_html("<a href='{}'>look at it, or cancel it</a>.", url)
            self.message_user(request, format_html(text, first.number, first.error_title, link), messages.WARNING)
