"""The audit log in the admin."""

from django.contrib import admin

from messaging.models import AuditEntry
from waproject.web.admin.read_only_admin import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Newest first; searched by account, client or object id."""

    list_display = ["at", "who", "action", "object", "details"]
    list_filter = ["action"]
    search_fields = ["=who", "=object"]
    search_help_text = "An account or “API client NAME”; or “message ID”, “hold ID”, “number ID”, in full."
