"""The message history in the admin: search, timeline, attempts, export."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from messaging.access import record_action
from messaging.media.admin import download_again_button, file_html, may_download_again, media_of
from messaging.messages.admin_filters import AcceptedFilter, AttentionFilter
from messaging.messages.admin_list import MessageList
from messaging.messages.analytics_filters import analytics_filters
from messaging.messages.csv_export import csv_lines
from messaging.messages.price_texts import price_text
from messaging.messages.search import search_messages
from messaging.messages.timeline import timeline
from messaging.messages.waiting_reasons import waiting_reason
from messaging.models import Attempt, AuditEntry, Direction, Message
from messaging.outgoing.admin_actions import InterventionActions
from messaging.states import Status
from waproject.web.admin.badges import badge
from waproject.web.admin.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from waproject.web.analytics_links import analytics_link, analytics_url, may_see_analytics

# The actions that each status allows.
BUTTONS = {
    Status.PENDING: {"cancel"},
    Status.QUEUED: {"cancel"},
    Status.UNKNOWN: {"mark_failed", "send_again"},
    Status.FAILED: {"send_again"},
}
# Filters of the list that may hold a phone number, a name or a text.
PERSONAL = ("peer", "sent_to", "contact", "wamid", "context_wamid", "reference", "text", "content", "raw")
LATE_NOTE = "In brackets: arrived too late to change the status."


class AttemptInline(ReadOnlyInline):
    """The Cloud API calls of a message."""

    model = Attempt
    fields = readonly_fields = ("n", "at", "outcome", "wamid", "error_code", "error_title")


@admin.register(Message)
class MessageAdmin(InterventionActions, ReadOnlyAdmin):
    """Message history: search by phone number, wamid or our id."""

    list_display = ["accepted", "direction", "peer", "type", "short_text", "state", "waits_for", "error_title"]
    list_display_links = ["accepted", "peer"]
    list_filter = ["direction", "status", AcceptedFilter, AttentionFilter, "priority", "number"]
    list_select_related = ["number"]
    list_per_page = 50
    search_fields = ["peer"]
    # The page of analytics links to the messages of a market by the prefixes of its numbers.
    linked_fields = ["pricing_category", "pricing_type", "peer__regex"]
    search_help_text = "A phone number, a wamid, our id, or the client's reference or campaign, in full."
    ordering = ["-id"]
    # Any other order would sort the whole history.
    sortable_by = ["accepted"]
    list_before_template = "admin/messaging/message/export.html"
    inlines = [AttemptInline]
    change_form_outer_before_template = "admin/messaging/message/head.html"
    fieldsets = [
        (
            None,
            {"fields": ["id", "direction", "status", "number", "peer", "sent_to", "contact", "wamid", "conversation"]},
        ),
        ("Client", {"fields": ["client", "reference", "campaign"]}),
        (
            "Content",
            {"fields": ["type", "template", "text", "context_wamid", "origin", "content", "raw", "content_deleted_at"]},
        ),
        ("When", {"fields": ["priority", "due_at", "expires_at", "hold", "waits_for"]}),
        ("Outcome", {"fields": ["attempts", "calls", "error_code", "error_title", "on_unknown", "unknown_at"]}),
        ("Price", {"fields": ["price"]}),
        (
            "Lane",
            {
                "classes": ["collapse"],
                "fields": [
                    "releases",
                    "released_at",
                    "lease_until",
                    "outcome_at",
                    "duplicate_found_at",
                    "capped_at",
                    "exhausted_at",
                    "dead_lettered_at",
                    "generation",
                ],
            },
        ),
        ("Decisions", {"fields": ["decisions"]}),
    ]
    readonly_fields = ["id", "conversation", "waits_for", "price", "decisions", "file", "download_again"]

    class Media:
        js = ["messaging/copy.js"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add the analytics of the messages that the list shows."""
        more = {"analytics_url": analytics_url(**analytics_filters(request.GET))}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def buttons_of(self, obj: Message) -> set[str]:
        """The actions that the message's status allows."""
        buttons = BUTTONS.get(Status(obj.status), set()) if obj.direction == Direction.OUTBOUND else set()
        return buttons if obj.can_be_sent_again else buttons - {"send_again"}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        """Add the status, its reason and the timeline for the head of the page."""
        message = options.get("obj")
        if message is not None:
            waits = waiting_reason(message)
            error = f"{message.error_title} ({message.error_code})" if message.error_code else message.error_title
            reason = f"Waits for {waits}." if waits else error
            context["head"] = {
                "mark": self.state(message),
                "reason": reason,
                "trail": self.trail(message),
                "analytics": [
                    analytics_link(f"{name.capitalize()} {value}", **{name: value})
                    for name in ("campaign", "template")
                    if (value := getattr(message, name)) and may_see_analytics(request.user)
                ],
            }
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description="status", ordering="status")
    def state(self, message: Message) -> SafeString:
        """The status with its colour."""
        return badge(message.status)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[MessageList]:
        """The list whose cost does not grow with the history."""
        return MessageList

    def get_urls(self) -> list[URLPattern]:
        """Add the export."""
        view = self.admin_site.admin_view(require_safe(self.export_view))
        return [path("export/", view, name="messaging_message_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The messages of the list's filters and search as CSV, without the list's limit."""
        if not (request.user.has_perm("messaging.export_message") and self.has_view_permission(request)):
            raise PermissionDenied
        try:
            listed = cast("MessageList", self.get_changelist_instance(request))
            rows = listed.matching(request).select_related(None)
        except IncorrectLookupParameters:
            raise Http404("There is no such filter.") from None
        # A search may hold a phone number, so only record that there was one.
        filters = {name: value for name, value in request.GET.items() if not _is_personal(name)}
        searched = any(map(_is_personal, request.GET))
        record_action(str(request.user), "export", "messages", **filters, searched=searched)
        answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="messages-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """Search by index only."""
        return (search_messages(queryset, search_term) if search_term else queryset), False

    @admin.display(description="Conversation")
    def conversation(self, message: Message) -> SafeString:
        """A link to the message in its conversation."""
        url = reverse("admin:messaging_conversation_change", args=[message.pk])
        return format_html("<a href='{}?around=1'>Show in conversation</a>", url)

    @admin.display(description="time", ordering="id")
    def accepted(self, message: Message) -> str:
        """When it was stored, to the second."""
        return timezone.localtime(message.created_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description="text")
    def short_text(self, message: Message) -> str:
        """The beginning of the text, and the type of message unless it is plain text."""
        kind = message.template or message.content.get("type") or message.content.get("kind") or message.type
        return message.text[:60] if message.type == "text" else f"[{kind}] {message.text[:60]}".rstrip()

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        """Add the file of the message, and the download button if it is missing and the account may use it."""
        media = media_of(obj) if obj else None
        if media is None:
            return super().get_fieldsets(request, obj)
        fields = ["file", "download_again"] if may_download_again(request, media) else ["file"]
        first, *rest = super().get_fieldsets(request, obj)
        return [first, ("File", {"fields": fields}), *rest]

    @admin.display(description="File")
    def file(self, message: Message) -> SafeString:
        """The file, or the reason why it is missing."""
        return file_html(media_of(message))

    @admin.display(description="")
    def download_again(self, message: Message) -> SafeString:
        """The download button."""
        media = media_of(message)
        return download_again_button(media) if media else SafeString("")

    @admin.display(description="waits for")
    def waits_for(self, message: Message) -> str:
        """The reason why the message still waits."""
        return waiting_reason(message)

    @admin.display(description="Decisions")
    def decisions(self, message: Message) -> SafeString:
        """Audit entries of the message."""
        entries = AuditEntry.objects.filter(object=f"message {message.pk}").order_by("id")
        return format_html_join(
            SafeString("<br>"),
            "{} {} by {}",
            ((timezone.localtime(e.at).strftime("%Y-%m-%d %H:%M:%S"), e.action, e.who) for e in entries),
        ) or SafeString("none")

    @admin.display(description="What Meta bills it as")
    def price(self, message: Message) -> str:
        """And the status that said so."""
        return f"{price_text(message)}, by the status {message.priced_by}" if message.priced_by else "not said yet"

    def trail(self, message: Message) -> SafeString:
        """The timeline as a table, oldest first."""
        events = list(timeline(message))
        late = any(not event.applied and event.status != "received" for event in events)
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
                    event.status if event.applied or event.status == "received" else f"({event.status})",
                    event.source,
                    f"{event.error_code or ''} {event.error_title}".strip(),
                    price_text(event),
                )
                for event in events
            ),
        )
        return format_html(
            "<table class='trail'><thead><tr>"
            "<th>Time</th><th>Status</th><th>From</th><th>Error</th><th>Price</th></tr></thead>{}</table>"
            "{}",
            rows,
            format_html("<p class='help'>{}</p>", LATE_NOTE) if late else "",
        )


def _is_personal(parameter: str) -> bool:
    """Whether the value of a list's parameter may say who is meant."""
    return parameter == SEARCH_VAR or parameter.partition("__")[0] in PERSONAL
