"""Account events, unknown updates, orphan statuses and template categories in the admin."""

from django.contrib import admin

from messaging.models import (
    AccountEvent,
    OrphanStatus,
    TemplateCategory,
    UnknownUpdate,
)
from waproject.web.read_only_admin import ReadOnlyAdmin
from waproject.web.themed_admin import ModelAdmin


@admin.register(UnknownUpdate)
class UnknownUpdateAdmin(ReadOnlyAdmin):
    """What Meta sent and the pipeline does not model yet."""

    list_display = ["received_at", "kind", "seen", "last_seen_at", "phone_number_id"]
    list_filter = ["kind"]
    search_fields = ["kind", "=phone_number_id"]


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    """What Meta told of accounts, numbers, templates and users."""

    list_display = ["at", "kind", "event", "subject", "phone_number_id"]
    list_filter = ["kind"]
    search_fields = ["event", "subject", "=phone_number_id", "=waba_id"]


@admin.register(TemplateCategory)
class TemplateCategoryAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Which templates are marketing, and so are not sent to who opted out."""

    list_display = ["name", "category", "waba_id", "updated_at"]
    list_filter = ["category"]
    search_fields = ["name"]
    readonly_fields = ["updated_at"]


@admin.register(OrphanStatus)
class OrphanStatusAdmin(ReadOnlyAdmin):
    """Statuses that wait for their message."""

    list_display = ["received_at", "status", "phone_number_id"]
    list_filter = ["status"]
