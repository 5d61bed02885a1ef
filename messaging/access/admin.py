"""API clients and keys in the admin."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from messaging.access.audit_log import record_action
from messaging.access.secrets_page import show_secrets
from messaging.models import (
    ApiClient,
    ApiKey,
)
from waproject.web.admin.themed_admin import EditedColumns, ModelAdmin, TabularInline

# Accounts can only grant a permission that they have: an operator's keys may redrive.
OPERATOR_PERMISSION = "monitoring.redrive"
# Fields whose changes are in the audit log with their new value.
AUDITED = frozenset({"active", "operator", "may_send_high"})


class ApiKeyInline(TabularInline):  # type: ignore[type-arg]
    """A client's keys. A key is revoked at its `revoked_at`, which may lie in the future."""

    model = ApiKey
    fields = ["__str__", "created_at", "last_used_at", "revoked_at"]
    readonly_fields = ["__str__", "created_at", "last_used_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are issued by the action, which can show the key."""
        return False


@admin.register(ApiClient)
class ApiClientAdmin(EditedColumns, ModelAdmin):  # type: ignore[type-arg]
    """API clients and their keys. Every change is in the audit log."""

    list_display = ["name", "active", "operator", "may_send_high", "created_at"]
    readonly_fields = ["created_at"]
    inlines = [ApiKeyInline]
    actions = ["issue_key"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: its messages would lose their client. Make the client inactive instead."""
        return False

    def has_issue_permission(self, request: HttpRequest) -> bool:
        """Whether the account may issue keys."""
        return bool(request.user.has_perm("messaging.add_apikey"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only accounts with the operator permission may set `operator`."""
        own = [] if request.user.has_perm(OPERATOR_PERMISSION) else ["operator"]
        return [*self.readonly_fields, *own]

    def save_model(self, request: HttpRequest, obj: ApiClient, form: Any, change: bool) -> None:
        """Save, and record the change."""
        super().save_model(request, obj, form, change)
        given = {name: getattr(obj, name) for name in form.changed_data if name in AUDITED}
        record_action(str(request.user), "change client" if change else "create client", f"client {obj.pk}", **given)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the keys, and record which were revoked."""
        super().save_formset(request, form, formset, change)
        for key, _ in getattr(formset, "changed_objects", []):
            at = key.revoked_at and key.revoked_at.isoformat()
            record_action(str(request.user), "revoke key", f"client {key.client_id}", key=str(key), revoked_at=at)

    @admin.action(description="Issue a new API key (shown once)", permissions=["issue"])
    def issue_key(self, request: HttpRequest, queryset: QuerySet[ApiClient]) -> HttpResponse:
        """Show the new keys once, in this response."""
        clients = list(queryset)
        if any(client.operator for client in clients) and not request.user.has_perm(OPERATOR_PERMISSION):
            raise PermissionDenied("A key of an operator needs an operator's permission.")
        shown = {}
        with transaction.atomic():
            for client in clients:
                key, text = ApiKey.issue(client)
                record_action(str(request.user), "issue key", f"client {client.pk}", key=str(key))
                shown[f"API key of {client}"] = text
        return show_secrets(request, self, "New API keys", shown)
