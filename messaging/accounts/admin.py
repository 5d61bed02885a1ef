"""Accounts in the admin: Meta's facts are shown, and the name of the token's variable can be edited."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from messaging.access import record_action
from messaging.models import Account
from waproject.web.admin.themed_admin import META_ID, EditedColumns, ModelAdmin, TextInput

META_FACTS = (
    "name",
    "portfolio_id",
    "currency",
    "timezone_id",
    "review_status",
    "ban_state",
    "restriction",
    "synced_at",
    "templates_synced_at",
    "templates_due_at",
    "created_at",
)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new account by Meta's id, or another token."""

    waba_id = forms.CharField(label="WABA id", max_length=32, validators=[META_ID], widget=TextInput)


@admin.register(Account)
class AccountAdmin(EditedColumns, ModelAdmin):  # type: ignore[type-arg]
    """Accounts with Meta's facts."""

    list_display = ["waba_id", "name", "portfolio_id", "review_status", "ban_state", "token_name", "synced_at"]
    search_fields = ["=waba_id", "name"]
    form = AccountForm
    fields = ["waba_id", "token_name", *META_FACTS]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All but the token's variable, and the id of a new account."""
        return [*META_FACTS, *(["waba_id"] if obj is not None else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its numbers and templates would lose their token."""
        return False

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """Store the account and audit it."""
        super().save_model(request, obj, form, change)
        record_action(str(request.user), "change account", f"account {obj.pk}", token_name=obj.token_name)
