"""Message history: search, timeline, attempts."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.admin.history import ReadOnlyAdmin, ReadOnlyInline
from messaging.models import (
    Attempt,
    Message,
)
from messaging.search import search_messages
from messaging.timeline import timeline


class AttemptInline(ReadOnlyInline):
    """The calls of the Cloud API for a message."""

    model = Attempt
    fields = readonly_fields = ("n", "at", "outcome", "wamid", "error_code", "error_title")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Message history: search by phone number, wamid or our id."""

    list_display = ["accepted", "direction", "peer", "type", "short_text", "status", "error_title"]
    list_display_links = ["accepted", "peer"]
    list_filter = ["direction", "status", "priority", "number", "created_at"]
    list_select_related = ["number"]
    list_per_page = 50
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
