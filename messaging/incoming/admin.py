"""Account events, unknown updates, orphan statuses and template categories in the admin."""

from typing import Any

from django import forms
from django.contrib import admin

from messaging.models import (
    AccountEvent,
    OrphanStatus,
    TemplateCategory,
    UnknownUpdate,
)
from waproject.web.admin.read_only_admin import ReadOnlyAdmin
from waproject.web.admin.themed_admin import META_ID, EditedColumns, ModelAdmin, Select, TextInput

CATEGORIES = ("marketing", "utility", "authentication")


@admin.register(UnknownUpdate)
class UnknownUpdateAdmin(ReadOnlyAdmin):
    """Webhook updates that the pipeline does not model."""

    list_display = ["received_at", "kind", "seen", "last_seen_at", "phone_number_id"]
    list_filter = ["kind"]
    search_fields = ["kind", "=phone_number_id"]


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    """Meta's events about accounts, numbers, templates and users."""

    list_display = ["at", "kind", "event", "subject", "phone_number_id"]
    list_filter = ["kind"]
    search_fields = ["event", "subject", "=phone_number_id", "=waba_id"]


class TemplateCategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    """Meta's categories. A row from a webhook keeps its category until an operator changes it."""

    category = forms.ChoiceField(choices=[(name, name) for name in CATEGORIES], widget=Select)
    waba_id = forms.CharField(
        label="WABA id", required=False, max_length=32, validators=[META_ID], widget=TextInput,
        help_text="Empty: all accounts.",
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.category:
            self.initial["category"] = self.instance.category.lower()


@admin.register(TemplateCategory)
class TemplateCategoryAdmin(EditedColumns, ModelAdmin):  # type: ignore[type-arg]
    """Template categories: marketing templates are not sent to contacts who have opted out."""

    list_display = ["name", "category", "waba_id", "updated_at"]
    list_filter = ["category"]
    search_fields = ["name"]
    form = TemplateCategoryForm
    readonly_fields = ["updated_at"]


@admin.register(OrphanStatus)
class OrphanStatusAdmin(ReadOnlyAdmin):
    """Statuses whose message is not stored (yet)."""

    list_display = ["received_at", "status", "phone_number_id"]
    list_filter = ["status"]
