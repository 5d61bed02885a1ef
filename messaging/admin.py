"""The admin's view of messaging: history that one can search, and the few things that one may change."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.models import (
    ApiClient,
    ApiKey,
    Attempt,
    BusinessNumber,
    Contact,
    Message,
    OrphanStatus,
    UnknownUpdate,
)
from messaging.search import search_messages
from messaging.timeline import timeline


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What happened cannot be edited, only looked at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class AttemptInline(admin.TabularInline):  # type: ignore[type-arg]
    """The calls of the Cloud API for a message."""

    model = Attempt
    fields = ["n", "at", "outcome", "wamid", "error_code", "error_title"]
    readonly_fields = ["n", "at", "outcome", "wamid", "error_code", "error_title"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Message history: search by phone number, wamid or our id."""

    list_display = ["accepted", "direction", "peer", "type", "short_text", "status", "error_title"]
    list_display_links = ["accepted", "peer"]
    list_filter = ["direction", "status", "priority", "number", "created_at"]
    list_select_related = ["number"]
    list_per_page = 50
    # A count of every message is a scan of the table; the list does not need one.
    show_full_result_count = False
    search_fields = ["peer"]
    search_help_text = "A phone number, a wamid or our id, in full."
    ordering = ["-id"]
    inlines = [AttemptInline]
    fieldsets = [
        (None, {"fields": ["id", "direction", "status", "number", "peer", "contact", "wamid", "client"]}),
        ("Content", {"fields": ["type", "text", "content", "raw"]}),
        (
            "Delivery",
            {
                "fields": [
                    "priority",
                    "due_at",
                    "attempts",
                    "error_code",
                    "error_title",
                    "releases",
                    "released_at",
                    "lease_until",
                    "outcome_at",
                ]
            },
        ),
        ("Timeline", {"fields": ["trail"]}),
    ]
    readonly_fields = ["id", "trail"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """By index, never by a scan."""
        return (search_messages(queryset, search_term) if search_term else queryset), False

    @admin.display(description="time", ordering="id")
    def accepted(self, message: Message) -> str:
        """When it entered, to the second."""
        return timezone.localtime(message.created_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description="text")
    def short_text(self, message: Message) -> str:
        """The beginning of the text."""
        return message.text[:60]

    @admin.display(description="Events")
    def trail(self, message: Message) -> SafeString:
        """Every event, oldest first."""
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
                    event.status if event.applied or event.status == "received" else f"({event.status})",
                    event.source,
                    f"{event.error_code or ''} {event.error_title}".strip(),
                )
                for event in timeline(message)
            ),
        )
        return format_html(
            "<table><thead><tr><th>Time</th><th>Status</th><th>From</th><th>Error</th></tr></thead>{}</table>"
            "<p class='help'>In brackets: told too late to change the status.</p>",
            rows,
        )


@admin.register(BusinessNumber)
class BusinessNumberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pace and pause of each number."""

    list_display = ["phone_number_id", "display_phone_number", "rate", "paused_at", "pause_reason"]
    readonly_fields = ["created_at"]
    actions = ["pause", "resume"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its messages would go with it."""
        return False

    @admin.action(description="Pause sending", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release nothing more; what is on its way still goes out."""
        count = queryset.filter(paused_at=None).update(paused_at=timezone.now(), pause_reason=f"by {request.user}")
        self.message_user(request, f"{count} paused.", messages.SUCCESS)

    @admin.action(description="Resume sending", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BusinessNumber]) -> None:
        """Release again."""
        count = queryset.exclude(paused_at=None).update(paused_at=None, pause_reason="")
        self.message_user(request, f"{count} resumed.", messages.SUCCESS)


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    """Who wrote to us."""

    list_display = ["__str__", "phone", "user_id", "first_seen_at", "last_seen_at"]
    search_fields = ["=phone", "=user_id", "name"]


@admin.register(UnknownUpdate)
class UnknownUpdateAdmin(ReadOnlyAdmin):
    """What Meta sent and the pipeline does not model yet."""

    list_display = ["received_at", "kind", "phone_number_id"]
    list_filter = ["kind"]


@admin.register(OrphanStatus)
class OrphanStatusAdmin(ReadOnlyAdmin):
    """Statuses that wait for their message."""

    list_display = ["received_at", "status", "phone_number_id"]
    list_filter = ["status"]


class ApiKeyInline(admin.TabularInline):  # type: ignore[type-arg]
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
class ApiClientAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The systems that may call, and their keys."""

    list_display = ["name", "active", "created_at"]
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
