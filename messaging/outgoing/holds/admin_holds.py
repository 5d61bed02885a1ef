"""Holds of campaigns and templates in the admin: created and resumed, never edited."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString

from messaging.access import record_action
from messaging.models import Hold, HoldKind
from messaging.outgoing.holds.holds import resume_hold
from waproject.web.admin.read_only_admin import BoundedPaginator
from waproject.web.admin.themed_admin import ModelAdmin
from waproject.web.analytics_links import analytics_link, may_see_analytics


class HoldForm(ModelForm):  # type: ignore[type-arg]
    """A new hold: it covers the messages that match all that it names."""

    class Meta:
        help_texts = {
            "client": "Empty: of all clients.",
            "number": "Empty: of all numbers.",
            "waba_id": "Empty: of all accounts.",
            "language": "Templates in this language; empty: all messages.",
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Only the check of budgets sets such holds, and resumes them. A hold's page has no fields to edit.
        if kinds := self.fields.get("kind"):
            kinds.choices = [one for one in kinds.choices if one[0] != HoldKind.BUDGET]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a second hold of the same kind, which the conditional constraint of the database forbids."""
        given: dict[str, Any] = super().clean() or {}
        same = {name: given.get(name) for name in ("kind", "key", "client", "number", "waba_id", "language")}
        if Hold.objects.filter(**same, resumed_at=None).exists():
            raise ValidationError("This is held already.")
        return given


@admin.register(Hold)
class HoldAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Holds with their reason, author and times."""

    list_display = ["__str__", "client", "number", "waba_id", "language", "by", "reason", "since", "until"]
    list_filter = ["kind", ("resumed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["client", "number"]
    search_fields = ["=key"]
    form = HoldForm
    fields = ["kind", "key", "client", "number", "waba_id", "language", "reason", "until"]
    readonly_fields = ["analytics"]
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ["resume"]

    def buttons_of(self, obj: Hold) -> set[str]:
        """A hold is resumed once."""
        return {"resume"} if obj.resumed_at is None else set()

    def get_list_display(self, request: HttpRequest) -> Any:
        """Add the link to analytics, for those who may follow it."""
        return [*self.list_display, *(["analytics"] if may_see_analytics(request.user) else [])]

    def get_fields(self, request: HttpRequest, obj: Hold | None = None) -> Any:
        """The same on a hold's page."""
        return [*self.fields, *(["analytics"] if obj and may_see_analytics(request.user) else [])]

    @admin.display(description="analytics")
    def analytics(self, hold: Hold) -> SafeString:
        """What became of the messages of its campaign, template or client."""
        label = {HoldKind.TEMPLATE: "template"}.get(HoldKind(hold.kind), "campaign")
        return analytics_link(
            "Analytics",
            **{label: hold.key},
            client=hold.client.name if hold.client else "",
            sender=hold.number.phone_number_id if hold.number else "",
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A hold is resumed, never edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Messages carry its id: the dispatcher deletes a hold once none does."""
        return False

    def has_resume_permission(self, request: HttpRequest) -> bool:
        """Whether the account may resume holds."""
        return bool(request.user.has_perm("messaging.change_hold"))

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        """Store the hold with its author, and audit it."""
        obj.by = str(request.user)
        super().save_model(request, obj, form, change)
        record_action(obj.by, "hold", f"hold {obj.pk}", kind=obj.kind, key=obj.key)

    @admin.action(description="Resume", permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        """End the selected holds; the dispatcher clears the marks in batches."""
        count = 0
        for hold in queryset.filter(resumed_at=None):
            with transaction.atomic():
                if resume_hold(hold.pk):
                    record_action(str(request.user), "resume", f"hold {hold.pk}", kind=hold.kind, key=hold.key)
                    count += 1
        self.message_user(request, f"{count} resumed.", messages.SUCCESS)
