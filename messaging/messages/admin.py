"""The message history in the admin: search, timeline, attempts."""

from typing import Any

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

from messaging.access import note
from messaging.media.admin import again_button, may_fetch_again, media_of, shown
from messaging.messages.admin_filters import AcceptedFilter, AttentionFilter
from messaging.messages.csv_export import csv_lines
from messaging.messages.pricing_words import in_words
from messaging.messages.search import search_messages
from messaging.messages.timeline import timeline
from messaging.messages.waiting_reasons import waiting_reason
from messaging.models import Attempt, AuditEntry, Direction, Message
from messaging.outgoing.admin_actions import InterventionActions
from messaging.states import Status
from waproject.web.badges import badge
from waproject.web.read_only_admin import ReadOnlyAdmin, ReadOnlyInline

# The actions that a state allows.
BUTTONS = {
    Status.PENDING: {"cancel"},
    Status.QUEUED: {"cancel"},
    Status.UNKNOWN: {"mark_failed", "send_again"},
    Status.FAILED: {"send_again"},
}


class AttemptInline(ReadOnlyInline):
    """The calls of the Cloud API for a message."""

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
    search_help_text = "A phone number, a wamid, our id, or the client's reference or campaign, in full."
    ordering = ["-id"]
    list_before_template = "admin/messaging/message/export.html"
    inlines = [AttemptInline]
    change_form_outer_before_template = "admin/messaging/message/head.html"
    fieldsets = [
        (
            None,
            {"fields": ["id", "direction", "status", "number", "peer", "sent_to", "contact", "wamid", "conversation"]},
        ),
        ("Client", {"fields": ["client", "reference", "campaign"]}),
        ("Content", {"fields": ["type", "template", "text", "context_wamid", "origin", "content", "raw"]}),
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
                    "doubled_at",
                    "capped_at",
                    "exhausted_at",
                    "dead_lettered_at",
                    "generation",
                ],
            },
        ),
        ("Decisions", {"fields": ["decisions"]}),
    ]
    readonly_fields = ["id", "conversation", "waits_for", "price", "decisions", "file", "fetch_again"]

    class Media:
        js = ["messaging/copy.js"]

    def buttons_of(self, obj: Message) -> set[str]:
        """What can still be decided of it."""
        return BUTTONS.get(Status(obj.status), set()) if obj.direction == Direction.OUTBOUND else set()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        """Its state, the reason and the timeline stand first."""
        message = options.get("obj")
        if message is not None:
            waits = waiting_reason(message)
            error = f"{message.error_title} ({message.error_code})" if message.error_code else message.error_title
            reason = f"Waits for {waits}." if waits else error
            context["head"] = {"mark": self.state(message), "reason": reason, "trail": self.trail(message)}
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description="status", ordering="status")
    def state(self, message: Message) -> SafeString:
        """With its colour."""
        return badge(message.status)

    def get_urls(self) -> list[URLPattern]:
        """The export beside the list."""
        view = self.admin_site.admin_view(require_safe(self.export_view))
        return [path("export/", view, name="messaging_message_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What the list's filters and search show, as CSV, without the list's limit."""
        if not (request.user.has_perm("messaging.export_message") and self.has_view_permission(request)):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request).select_related(None)
        except IncorrectLookupParameters:
            raise Http404("There is no such filter.") from None
        # A search may hold a phone number: that there was one is enough.
        filters = {name: value for name, value in request.GET.items() if name != SEARCH_VAR}
        note(str(request.user), "export", "messages", **filters, searched=SEARCH_VAR in request.GET)
        answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="messages-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """By index, never by a scan."""
        return (search_messages(queryset, search_term) if search_term else queryset), False

    @admin.display(description="Conversation")
    def conversation(self, message: Message) -> SafeString:
        """Where it stands among the others."""
        url = reverse("admin:messaging_conversation_change", args=[message.pk])
        return format_html("<a href='{}?around=1'>Show it in its conversation</a>", url)

    @admin.display(description="time", ordering="id")
    def accepted(self, message: Message) -> str:
        """When it entered, to the second."""
        return timezone.localtime(message.created_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description="text")
    def short_text(self, message: Message) -> str:
        """The beginning of the text, and what kind of message it is where it is not text alone."""
        kind = message.template or message.content.get("type") or message.content.get("kind") or message.type
        return message.text[:60] if message.type == "text" else f"[{kind}] {message.text[:60]}".rstrip()

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        """With its file, where it has one, and a button where that did not come and one may ask for it."""
        media = media_of(obj) if obj else None
        if media is None:
            return super().get_fieldsets(request, obj)
        fields = ["file", "fetch_again"] if may_fetch_again(request, media) else ["file"]
        first, *rest = super().get_fieldsets(request, obj)
        return [first, ("File", {"fields": fields}), *rest]

    @admin.display(description="File")
    def file(self, message: Message) -> SafeString:
        """Shown, or why it is not here."""
        return shown(media_of(message))

    @admin.display(description="")
    def fetch_again(self, message: Message) -> SafeString:
        """A button."""
        media = media_of(message)
        return again_button(media) if media else SafeString("")

    @admin.display(description="waits for")
    def waits_for(self, message: Message) -> str:
        """Why it has not gone yet."""
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
        return f"{in_words(message)}, by the status {message.priced_by}" if message.priced_by else "not said yet"

    def trail(self, message: Message) -> SafeString:
        """Every event, oldest first."""
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
                    event.status if event.applied or event.status == "received" else f"({event.status})",
                    event.source,
                    f"{event.error_code or ''} {event.error_title}".strip(),
                    in_words(event),
                )
                for event in timeline(message)
            ),
        )
        return format_html(
            "<table class='trail'><thead><tr>"
            "<th>Time</th><th>Status</th><th>From</th><th>Error</th><th>Price</th></tr></thead>{}</table>"
            "<p class='help'>In brackets: arrived too late to change the status.</p>",
            rows,
        )
