"""API clients and keys in the admin."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from messaging.access.audit_log import note
from messaging.access.shown_once import shown_once
from messaging.models import (
    ApiClient,
    ApiKey,
)
from waproject.web.themed_admin import ModelAdmin, TabularInline

# What an operator's keys may do. Nobody gives away what they do not have.
OPERATOR_PERMISSION = "monitoring.redrive"
# Fields whose changes are in the audit log with their new value.
AUDITED = frozenset({"active", "operator", "may_send_high"})


class ApiKeyInline(TabularInline):  # type: ignore[type-arg]
    """A client's keys; each ends at its `revoked_at`, which may be a time to come."""

    model = ApiKey
    fields = ["__str__", "created_at", "last_used_at", "revoked_at"]
    readonly_fields = ["__str__", "created_at", "last_used_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the action, which can show the key."""
        return False


@admin.register(ApiClient)
class ApiClientAdmin(ModelAdmin):  # type: ignore[type-arg]
    """The systems that may call, and their keys. Each change is in the audit log."""

    list_display = ["name", "active", "operator", "may_send_high", "created_at"]
    readonly_fields = ["created_at"]
    inlines = [ApiKeyInline]
    actions = ["issue_key"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its messages would forget who sent them: make it inactive instead."""
        return False

    def has_issue_permission(self, request: HttpRequest) -> bool:
        """Whether the account may make keys, which send and read messages."""
        return bool(request.user.has_perm("messaging.add_apikey"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """`operator` is for accounts that have an operator's permission themselves."""
        own = [] if request.user.has_perm(OPERATOR_PERMISSION) else ["operator"]
        return [*self.readonly_fields, *own]

    def save_model(self, request: HttpRequest, obj: ApiClient, form: Any, change: bool) -> None:
        """Save, and write down who did."""
        super().save_model(request, obj, form, change)
        given = {name: getattr(obj, name) for name in form.changed_data if name in AUDITED}
        note(str(request.user), "change client" if change else "create client", f"client {obj.pk}", **given)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Keys are revoked here."""
        super().save_formset(request, form, formset, change)
        for key, _ in getattr(formset, "changed_objects", []):
            at = key.revoked_at and key.revoked_at.isoformat()
            note(str(request.user), "revoke key", f"client {key.client_id}", key=str(key), revoked_at=at)

    @admin.action(description="Issue a new API key (shown once)", permissions=["issue"])
    def issue_key(self, request: HttpRequest, queryset: QuerySet[ApiClient]) -> HttpResponse:
        """Show the new keys to the one who asked for them, in this answer and nowhere else."""
        clients = list(queryset)
        if any(client.operator for client in clients) and not request.user.has_perm(OPERATOR_PERMISSION):
            raise PermissionDenied("A key of an operator needs an operator's permission.")
        shown = {}
        with transaction.atomic():
            for client in clients:
                key, text = ApiKey.issue(client)
                note(str(request.user), "issue key", f"client {client.pk}", key=str(key))
                shown[f"API key of {client}"] = text
        return shown_once(request, self, "New API keys", shown)
