"""Conversations in the admin: the list, the chat with live updates, and the reply form."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from messaging.accepting import WindowPolicy, window_policy
from messaging.conversations.chat_view import bubbles_of, digest_of_bubbles
from messaging.conversations.queries import (
    Conversation,
    ConversationPage,
    conversation_of,
    find_conversations,
    latest_conversations,
    messages_from,
    messages_of,
)
from messaging.conversations.reply_form import ReplyRefused, send_form_reply
from messaging.conversations.template_form import MAX_TEMPLATES, template_form, templates_of
from messaging.messages import preview
from messaging.models import BusinessNumber, Message, TemplateCategory
from messaging.models import Conversation as ConversationModel
from waproject.web.admin.read_only_admin import ReadOnlyAdmin
from waproject.web.analytics_links import analytics_url

LIST_SIZE = 50
CHAT_SIZE = 40
# An open chat grows; at this size the page reloads.
MAX_CHAT_SIZE = 400
TEMPLATES = "admin/messaging/conversation"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    conversation: Conversation
    preview: str


@admin.register(ConversationModel)
class ConversationAdmin(ReadOnlyAdmin):
    """Conversations. Their URLs hold the id of one of their messages, never a phone number."""

    def get_urls(self) -> list[URLPattern]:
        """The live part of the chat, and the reply; the chat itself is the change page."""
        name, wrap = "messaging_conversation", self.admin_site.admin_view
        return [
            path("<uuid:pk>/messages/", wrap(require_safe(self.messages_view)), name=f"{name}_messages"),
            path("<uuid:pk>/reply/", wrap(require_POST(self.reply_view)), name=f"{name}_reply"),
            path("<uuid:pk>/template/", wrap(require_POST(self.template_view)), name=f"{name}_template"),
            path("<uuid:pk>/templates/", wrap(require_POST(self.templates_view)), name=f"{name}_templates"),
            *super().get_urls(),
        ]

    def has_reply_permission(self, request: HttpRequest) -> bool:
        """Whether the account may reply to users."""
        return bool(request.user.has_perm("messaging.reply_conversation"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The list, latest first; only its rows for htmx."""
        self._check(request)
        page = _requested_page(request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Conversations",
            "opts": self.opts,
            "rows": [Row(one, preview(one.latest)) for one in page.conversations],
            "older": page.older,
            "numbers": BusinessNumber.objects.order_by("display_phone_number"),
            "query": request.GET,
            "analytics_url": _analytics_url(_requested_number(request)),
            "is_live": not request.GET.get("before"),
            **(extra_context or {}),
        }
        part = "rows" if request.headers.get("HX-Request") else "list"
        return TemplateResponse(request, f"{TEMPLATES}/{part}.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The chat, at its newest messages or (?around) at the message of the URL."""
        self._check(request)
        return self._chat(request, _message(object_id))

    def messages_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Older messages (?before), or the shown ones (?since) if they have changed; else 204."""
        self._check(request)
        conversation = conversation_of(_message(pk))
        if before := request.GET.get("before"):
            return self._part(request, "older", _older(conversation, _message(before)))
        since = _message(request.GET.get("since"))
        found = messages_of(conversation, MAX_CHAT_SIZE, since=since)
        if len(found) == MAX_CHAT_SIZE:
            return HttpResponse(headers={"HX-Refresh": "true"})
        context = _live(conversation, found)
        if context["digest"] == request.GET.get("seen"):
            return HttpResponse(status=204)
        return self._part(request, "live", context)

    def reply_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Send the reply and return to the chat. A refused reply stays in the form."""
        self._check(request)
        if not self.has_reply_permission(request):
            raise PermissionDenied
        message = _message(pk)
        try:
            send_form_reply(request.POST, conversation_of(message), request.user)
        except ReplyRefused as error:
            messages.error(request, str(error))
            return self._chat(request, message, status=400)
        return HttpResponseRedirect(reverse("admin:messaging_conversation_change", args=[message.pk]))

    def template_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """The fields of the chosen template with its preview, or the preview alone. A POST: URLs are logged."""
        self._check(request)
        if not self.has_reply_permission(request):
            raise PermissionDenied
        form = template_form(conversation_of(_message(pk)).number, request.POST)
        part = "template_preview" if request.headers.get("HX-Target") == "template-preview" else "template_fields"
        return self._part(request, part, {"template_form": form, "anchor": _message(pk)})

    def templates_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """The choice of the templates whose name has the text in `template_search`."""
        self._check(request)
        if not self.has_reply_permission(request):
            raise PermissionDenied
        message = _message(pk)
        found = templates_of(conversation_of(message).number, request.POST.get("template_search", ""))
        return self._part(request, "template_choice", {"synced_templates": found, "anchor": message})

    def _chat(self, request: HttpRequest, message: Message, status: int = 200) -> HttpResponse:
        conversation = conversation_of(message)
        may_reply = self.has_reply_permission(request)
        chosen = template_form(conversation.number, request.POST)
        found = messages_of(conversation, CHAT_SIZE)
        if "around" in request.GET and message.id not in {row.id for row in found}:
            preceding = _preceding(conversation, message)
            found = [*preceding, *messages_from(conversation, message, MAX_CHAT_SIZE - len(preceding))]
        live = _live(conversation, found)
        context = {
            **self.admin_site.each_context(request),
            **live,
            "title": conversation.name,
            "subtitle": None,
            "opts": self.opts,
            "anchor": message,
            "analytics_url": _analytics_url(conversation.number),
            "older": found[0] if len(found) >= CHAT_SIZE else None,
            # A full page ends before the newest message and is not live: it would reload for ever.
            "last": found[-1] if len(found) >= MAX_CHAT_SIZE else None,
            "may_reply": may_reply,
            "templates": _templates(conversation) if may_reply else [],
            "synced_templates": (
                templates_of(conversation.number, chosen=chosen.template if chosen else None) if may_reply else None
            ),
            "template_form": chosen,
            "form_id": request.POST.get("form_id") if status != 200 else uuid4(),  # noqa: PLR2004
            "typed": request.POST,
        }
        return TemplateResponse(request, f"{TEMPLATES}/chat.html", context, status=status)

    def _part(self, request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(request, f"{TEMPLATES}/{name}.html", context)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _requested_number(request: HttpRequest) -> BusinessNumber | None:
    number = request.GET.get("number", "")
    return BusinessNumber.objects.filter(pk=number).first() if _is_key(number) else None


def _analytics_url(number: BusinessNumber | None) -> str:
    return analytics_url("conversations", sender=number.phone_number_id if number else "")


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18  # noqa: PLR2004 - a bigint


def _requested_page(request: HttpRequest) -> ConversationPage:
    if term := request.GET.get("q", "").strip():
        return find_conversations(term)
    number, before = request.GET.get("number", ""), request.GET.get("before", "")
    return latest_conversations(
        LIST_SIZE,
        before=_message_id(before) if before else None,
        number=int(number) if _is_key(number) else None,
        unanswered=bool(request.GET.get("unanswered")),
    )


def _message_id(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise Http404("No message has this id.") from None


def _message(pk: object) -> Message:
    found = Message.objects.select_related("number", "contact").defer("raw").filter(pk=_message_id(pk)).first()
    if found is None:
        raise Http404("No message has this id.")
    return found


def _preceding(conversation: Conversation, message: Message) -> list[Message]:
    return messages_of(conversation, CHAT_SIZE // 2, before=message)


def _older(conversation: Conversation, before: Message) -> dict[str, Any]:
    found = messages_of(conversation, CHAT_SIZE, before=before)
    return {
        "conversation": conversation,
        "anchor": before,
        "bubbles": bubbles_of(found),
        "older": found[0] if len(found) == CHAT_SIZE else None,
    }


def _live(conversation: Conversation, found: list[Message]) -> dict[str, Any]:
    bubbles = bubbles_of(found)
    window = window_text(conversation)
    return {
        "conversation": conversation,
        "anchor": conversation.latest,
        "bubbles": bubbles,
        "since": found[0] if found else conversation.latest,
        "window": window,
        "may_write": conversation.is_open or window_policy() is WindowPolicy.OFF,
        "digest": digest_of_bubbles(bubbles, window),
    }


def window_text(conversation: Conversation) -> str:
    """The state of the customer service window. It changes hourly, so that an open page is not redrawn every minute."""
    if conversation.closes_at is None:
        return "The 24-hour window is closed: WhatsApp accepts only templates."
    left = conversation.closes_at - timezone.now()
    if left >= timedelta(hours=1):
        return f"The 24-hour window is open for {left // timedelta(hours=1)} h more."
    return f"The 24-hour window is open for {max(1, left // timedelta(minutes=1))} min more."


def _templates(conversation: Conversation) -> list[str]:
    known = TemplateCategory.objects.filter(waba_id__in=["", conversation.number.waba_id])
    return list(known.order_by("name").values_list("name", flat=True).distinct()[:MAX_TEMPLATES])
