"""API clients and keys in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.models import (
    ApiClient,
    ApiKey,
)
from waproject.web.themed_admin import ModelAdmin, TabularInline


class ApiKeyInline(TabularInline):  # type: ignore[type-arg]
    """A client's keys; revoked by setting a time, never shown again."""

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
    """The systems that may call, and their keys."""

    list_display = ["name", "active", "operator", "created_at"]
    readonly_fields = ["created_at"]
    inlines = [ApiKeyInline]
    actions = ["issue_key"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its messages would forget who sent them: make it inactive instead."""
        return False

    @admin.action(description="Issue a new API key (shown once)", permissions=["change"])
    def issue_key(self, request: HttpRequest, queryset: QuerySet[ApiClient]) -> None:
        """Show the new key to the one who asked for it."""
        for client in queryset:
            _, key = ApiKey.issue(client)
            self.message_user(request, f"The key of {client}, shown only now: {key}", messages.WARNING)
