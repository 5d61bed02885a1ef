"""Media files in the admin: on their message's page, in a list, with a button to download again."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from messaging.media.records import fetch_again
from messaging.media.serve import NotInStorage, filename_of, is_shown, serve
from messaging.media_states import State
from messaging.models import Media, Message
from waproject.web.badges import badge
from waproject.web.read_only_admin import ReadOnlyAdmin

MOST_AT_ONCE = 1000
_LINK = "<div class='file'><a href='{url}'>{name}</a>"
_LOOKS = {
    "image": "<div class='file'><a href='{url}'><img src='{url}' alt='{kind}' loading='lazy'></a>",
    "audio": "<div class='file'><audio controls preload='none' src='{url}'></audio>",
    "video": "<div class='file'><video controls preload='metadata' src='{url}'></video>",
}


def content_url(media: Media) -> str:
    """Where staff who may see messages get the file."""
    return reverse("admin:messaging_media_content", args=[media.pk])


def shown(media: Media | None) -> SafeString:
    """The file as HTML: a picture, a player, a link, or why there is none."""
    if media is None:
        return SafeString("none")
    if media.state != State.STORED:
        return format_html("<div class='file'>{}<p>{}</p></div>", _words(media), media.error)
    url, family = content_url(media), media.mime_type.partition("/")[0]
    look = _LOOKS[family] if is_shown(media.mime_type) else _LINK
    about = f"{media.mime_type or media.kind}, {filesizeformat(media.size or 0)}"
    return format_html(look + "<p>{about}</p></div>", url=url, kind=media.kind, name=filename_of(media), about=about)


def may_fetch_again(request: HttpRequest, media: Media) -> bool:
    """Whether the file is missing and the account may act on messages."""
    return media.state != State.STORED and bool(request.user.has_perm("messaging.change_message"))


def again_button(media: Media) -> SafeString:
    """Asks for a file again; it stands inside the page's form."""
    url = reverse("admin:messaging_media_again", args=[media.pk])
    return format_html(
        "<button type='submit' class='file-again' formmethod='post' formaction='{}'>Fetch again</button>", url
    )


def _words(media: Media) -> str:
    if media.state != State.WAITING:
        return f"Will not come: {media.get_state_display().lower()}."
    due = timezone.localtime(media.due_at).strftime("%Y-%m-%d %H:%M:%S")
    return f"Not here yet; tries: {media.attempts}, the next one at {due}." if media.attempts else "Not here yet."


@admin.register(Media)
class MediaAdmin(ReadOnlyAdmin):
    """Media files of messages: state, attempts and last error."""

    list_display = ["created_at", "kind", "state_mark", "bytes", "attempts", "next_try", "error"]
    list_filter = ["state", "kind"]
    ordering = ["-message_id"]
    actions = ["fetch_again"]
    fields = [
        "message",
        "file",
        "kind",
        "state",
        "mime_type",
        "filename",
        "size",
        "sha256",
        "digest",
        "attempts",
        "due_at",
        "give_up_at",
        "lease_until",
        "error",
        "created_at",
        "finished_at",
    ]
    readonly_fields = ["file"]

    def get_urls(self) -> list[URLPattern]:
        """The file itself, and asking for it again."""
        name, wrap = "messaging_media", self.admin_site.admin_view
        return [
            path("<uuid:pk>/content/", wrap(require_safe(self.content_view)), name=f"{name}_content"),
            path("<uuid:pk>/again/", wrap(require_POST(self.again_view)), name=f"{name}_again"),
            *super().get_urls(),
        ]

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        """As for messages."""
        return bool(request.user.has_perm("messaging.change_message"))

    def content_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """The file, for who may see messages."""
        if not request.user.has_perm("messaging.view_message") and not request.user.has_perm(
            "messaging.change_message"
        ):
            raise PermissionDenied
        media = Media.objects.filter(pk=pk, state=State.STORED).first()
        if media is None:
            raise Http404("There is no file.")
        try:
            return serve(request, media)
        except NotInStorage:
            raise Http404("The storage does not have it any more.") from None

    def again_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Fetch one again, and back to its message."""
        if not self.has_intervene_permission(request):
            raise PermissionDenied
        self._fetch_again(request, [pk])
        return HttpResponseRedirect(reverse("admin:messaging_message_change", args=[pk]))

    @admin.action(description="Download again (missing files)", permissions=["intervene"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        """Ask Meta again, from the first try on."""
        self._fetch_again(request, list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE]))

    @admin.display(description="state", ordering="state")
    def state_mark(self, media: Media) -> SafeString:
        """With its colour."""
        return badge(media.state, media.get_state_display())

    @admin.display(description="size", empty_value="")
    def bytes(self, media: Media) -> str:
        """In words."""
        return filesizeformat(media.size) if media.size is not None else ""

    @admin.display(description="next try")
    def next_try(self, media: Media) -> str:
        """While it waits."""
        if media.state != State.WAITING:
            return ""
        return timezone.localtime(media.due_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description="File")
    def file(self, media: Media) -> SafeString:
        """As on the message's page."""
        return shown(media)

    def _fetch_again(self, request: HttpRequest, pks: list[UUID]) -> None:
        chosen = fetch_again(pks, str(request.user))
        if chosen:
            self.message_user(request, f"{len(chosen)} will be fetched again.", messages.SUCCESS)
        if len(chosen) < len(pks):
            self.message_user(request, f"{len(pks) - len(chosen)} left alone: here already.", messages.WARNING)


def media_of(message: Message) -> Media | None:
    """A message's file."""
    return getattr(message, "media", None)
