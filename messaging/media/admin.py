"""Media files in the admin: on the page of their message, in a list, with a button to download again."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from messaging.media.records import download_again
from messaging.media.serve import FileMissing, StorageUnavailable, filename_of, is_inline, serve
from messaging.media_states import State
from messaging.models import Media, Message
from waproject.web.admin.badges import badge
from waproject.web.admin.read_only_admin import ReadOnlyAdmin
from waproject.web.api.errors import RETRY_AFTER_S

MAX_DOWNLOADS_AT_ONCE = 1000
_LINK_HTML = "<div class='file'><a href='{url}'>{name}</a>"
_INLINE_HTML = {
    "image": "<div class='file'><a href='{url}'><img src='{url}' alt='{kind}' loading='lazy'></a>",
    "audio": "<div class='file'><audio controls preload='none' src='{url}'></audio>",
    "video": "<div class='file'><video controls preload='metadata' src='{url}'></video>",
}


def content_url(media: Media) -> str:
    """The URL of the file for staff who may view messages."""
    return reverse("admin:messaging_media_content", args=[media.pk])


def file_html(media: Media | None) -> SafeString:
    """The file as HTML: a picture, a player, a link, or the reason why it is missing."""
    if media is None:
        return SafeString("none")
    if media.state != State.STORED:
        return format_html("<div class='file'>{}<p>{}</p></div>", _missing_text(media), media.error)
    url, family = content_url(media), media.mime_type.partition("/")[0]
    look = _INLINE_HTML[family] if is_inline(media.mime_type) else _LINK_HTML
    about = f"{media.mime_type or media.kind}, {filesizeformat(media.size or 0)}"
    return format_html(look + "<p>{about}</p></div>", url=url, kind=media.kind, name=filename_of(media), about=about)


def may_download_again(request: HttpRequest, media: Media) -> bool:
    """Whether the file is missing and the account may change messages."""
    return _is_missing(media) and bool(request.user.has_perm("messaging.change_message"))


def _is_missing(media: Media) -> bool:
    return media.state not in {State.STORED, State.DELETED}


def download_again_button(media: Media) -> SafeString:
    """The button that downloads a file again, for use inside the form of the page."""
    url = reverse("admin:messaging_media_again", args=[media.pk])
    return format_html(
        "<button type='submit' class='file-again' formmethod='post' formaction='{}'>Download again</button>", url
    )


def _missing_text(media: Media) -> str:
    if media.state == State.DELETED:
        return "The file was deleted."
    if media.state != State.WAITING:
        return f"Download failed: {media.get_state_display().lower()}."
    due = timezone.localtime(media.due_at).strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"Not downloaded yet; attempts: {media.attempts}, next at {due}." if media.attempts else "Not downloaded yet."
    )


@admin.register(Media)
class MediaAdmin(ReadOnlyAdmin):
    """Media files of messages: state, attempts and last error."""

    list_display = ["created_at", "kind", "state_badge", "bytes", "attempts", "next_attempt", "error"]
    list_filter = ["state", "kind"]
    ordering = ["-message_id"]
    actions = ["download_again"]
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
        """Add the file itself and the download action."""
        name, wrap = "messaging_media", self.admin_site.admin_view
        return [
            path("<uuid:pk>/content/", wrap(require_safe(self.content_view)), name=f"{name}_content"),
            path("<uuid:pk>/again/", wrap(require_POST(self.again_view)), name=f"{name}_again"),
            *super().get_urls(),
        ]

    def buttons_of(self, obj: Media) -> set[str]:
        """A missing file is downloaded again."""
        return {"download_again"} if _is_missing(obj) else set()

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        """Whether the account may change messages."""
        return bool(request.user.has_perm("messaging.change_message"))

    def content_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Serve the file to staff who may view messages."""
        if not request.user.has_perm("messaging.view_message") and not request.user.has_perm(
            "messaging.change_message"
        ):
            raise PermissionDenied
        media = Media.objects.filter(pk=pk, state=State.STORED).first()
        if media is None:
            raise Http404("This message has no stored file.")
        try:
            return serve(request, media)
        except FileMissing:
            raise Http404("The file has been removed from the storage.") from None
        except StorageUnavailable as error:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            return HttpResponse(str(error), status=503, content_type="text/plain", headers=headers)

    def again_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Download one file again and return to its message."""
        if not self.has_intervene_permission(request):
            raise PermissionDenied
        self._fetch_again(request, [pk])
        return HttpResponseRedirect(reverse("admin:messaging_message_change", args=[pk]))

    @admin.action(description="Download again (missing files)", permissions=["intervene"])
    def download_again(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        """Download the files again, with no attempts counted."""
        self._fetch_again(request, list(queryset.order_by("pk").values_list("pk", flat=True)[:MAX_DOWNLOADS_AT_ONCE]))

    @admin.display(description="state", ordering="state")
    def state_badge(self, media: Media) -> SafeString:
        """The state with its colour."""
        return badge(media.state, media.get_state_display())

    @admin.display(description="size", empty_value="")
    def bytes(self, media: Media) -> str:
        """The size, human-readable."""
        return filesizeformat(media.size) if media.size is not None else ""

    @admin.display(description="next attempt")
    def next_attempt(self, media: Media) -> str:
        """The time of the next attempt, while the file waits."""
        if media.state != State.WAITING:
            return ""
        return timezone.localtime(media.due_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description="File")
    def file(self, media: Media) -> SafeString:
        """The file as on the page of its message."""
        return file_html(media)

    def _fetch_again(self, request: HttpRequest, pks: list[UUID]) -> None:
        chosen = download_again(pks, str(request.user))
        if chosen:
            self.message_user(request, f"Downloading {len(chosen)} again.", messages.SUCCESS)
        if len(chosen) < len(pks):
            self.message_user(
                request, f"{len(pks) - len(chosen)} skipped: stored already, or deleted.", messages.WARNING
            )


def media_of(message: Message) -> Media | None:
    """The media record of a message; None if it has none."""
    return getattr(message, "media", None)
