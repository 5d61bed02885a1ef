"""Serving files: permissions, ranges, headers."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from rest_framework.test import APIClient

from messaging.media.records import storage
from messaging.media.serve import filename_of
from messaging.models import AuditEntry, Media, Message
from tests.admin.staff import staff
from tests.messaging.media.conftest import Sends, data, media_of

Fetch = Callable[[], list[Any]]
PHOTO = bytes(range(256)) * 1000
HTML = b"<script>alert(document.domain)</script>"


@pytest.fixture
def photo(sends: Sends, fetch: Fetch) -> Message:
    message = sends(media={"data": data(PHOTO), "mime_type": "image/jpeg"})
    fetch()
    return message


def url_of(message: Message) -> str:
    return f"/messaging/messages/{message.pk}/media"


def content(message: Message) -> str:
    return f"/admin/messaging/media/{message.pk}/content/"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_client_gets_the_file_by_the_address_in_the_message(api: APIClient, photo: Message) -> None:
    media = api.get(f"/messaging/messages/{photo.pk}").json()["media"]
    assert media == {
        "state": "stored",
        "mime_type": "image/jpeg",
        "size": len(PHOTO),
        "filename": None,
        "sha256": hashlib.sha256(PHOTO).hexdigest(),
        "url": f"http://testserver{url_of(photo)}",
        "error": None,
    }
    assert body(api.get(media["url"])) == PHOTO


@pytest.fixture
def photo_client(api: APIClient, photo: Message) -> tuple[APIClient, Message]:
    return api, photo


@pytest.mark.parametrize(
    ("asked", "status", "part", "content_range"),
    [
        ("bytes=0-9", 206, PHOTO[:10], f"bytes 0-9/{len(PHOTO)}"),
        ("bytes=-5", 206, PHOTO[-5:], f"bytes {len(PHOTO) - 5}-{len(PHOTO) - 1}/{len(PHOTO)}"),
        ("bytes=100000-", 206, PHOTO[100000:], f"bytes 100000-{len(PHOTO) - 1}/{len(PHOTO)}"),
        ("bytes=0-", 200, PHOTO, None),
        ("nonsense", 200, PHOTO, None),
    ],
)
def test_a_range_is_answered(
    asked: str, status: int, part: bytes, content_range: str | None, photo_client: tuple[APIClient, Message]
) -> None:
    api, photo = photo_client
    response = api.get(url_of(photo), headers={"Range": asked})
    found = body(response) == part
    assert (response.status_code, found, response.get("Content-Range"), response["Content-Length"]) == (
        status,
        True,
        content_range,
        str(len(part)),
    )


def test_a_range_beyond_the_file_is_a_416(api: APIClient, photo: Message) -> None:
    response = api.get(url_of(photo), headers={"Range": f"bytes={len(PHOTO)}-"})
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(PHOTO)}")


def test_a_range_of_another_file_gets_the_whole(api: APIClient, photo: Message) -> None:
    assert api.get(url_of(photo), headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200


def test_a_cached_file_is_not_sent_again(api: APIClient, photo: Message) -> None:
    tag = api.get(url_of(photo))["ETag"]
    assert api.get(url_of(photo), headers={"If-None-Match": tag}).status_code == 304


def test_head_returns_the_size(api: APIClient, photo: Message) -> None:
    assert api.head(url_of(photo))["Content-Length"] == str(len(PHOTO))


def test_the_accept_header_is_ignored(api: APIClient, photo: Message) -> None:
    assert api.get(url_of(photo), headers={"Accept": "image/png"}).status_code == 200


@pytest.mark.parametrize("where", [url_of, content])
@pytest.mark.parametrize("mime_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"])
def test_an_html_file_never_runs_in_our_origin(mime_type: str, where: Any, sends: Sends, fetch: Fetch) -> None:
    message = sends(type="document", media={"data": data(HTML), "mime_type": mime_type, "filename": "a.html"})
    fetch()
    user = Client()
    user.force_login(User.objects.create_superuser("operator"))
    response = user.get(where(message))
    assert response["Content-Disposition"] == 'attachment; filename="a.html"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_file_name_cannot_break_the_header(sends: Sends, fetch: Fetch, api: APIClient) -> None:
    name = 'a"; b\r\nSet-Cookie: x=y; Grüße.pdf'
    message = sends(type="document", media={"data": data(b"%PDF"), "filename": name, "mime_type": "application/pdf"})
    fetch()
    given = api.get(url_of(message))["Content-Disposition"]
    assert given.startswith("attachment; filename*=utf-8''") and "\n" not in given


def test_a_file_that_is_not_stored_yet_is_a_404_with_retry_after(sends: Sends, api: APIClient) -> None:
    response = api.get(url_of(sends()))
    assert (response.status_code, response.json()["state"], response["Retry-After"]) == (404, "waiting", "5")


def test_a_failed_download_is_a_410(sends: Sends, fetch: Fetch, api: APIClient) -> None:
    message = sends(media={"fault": "gone"})
    fetch()
    response = api.get(url_of(message))
    assert (response.status_code, response.json()["state"]) == (410, "gone")


def test_a_deleted_file_is_a_410_that_says_so(api: APIClient, photo: Message) -> None:
    Media.objects.update(state="deleted", name="")
    response = api.get(url_of(photo))
    assert (response.status_code, response.json()) == (
        410,
        {"detail": "The file was deleted, by retention or with the person.", "state": "deleted"},
    )


def test_a_message_without_a_file_is_a_404(api: APIClient, photo: Message) -> None:
    Media.objects.all().delete()
    assert api.get(url_of(photo)).json() == {"detail": "The message has no file."}


@pytest.mark.parametrize("where", [url_of, content])
def test_a_file_that_was_removed_from_the_storage_is_not_a_500(where: Any, photo: Message) -> None:
    storage().delete(media_of(photo).name)
    user = Client()
    user.force_login(User.objects.create_superuser("operator"))
    assert user.get(where(photo)).status_code in {404, 410}


@pytest.mark.parametrize("where", [url_of, content])
def test_a_storage_that_cannot_be_read_is_a_503(where: Any, photo: Message, files: Path) -> None:
    path = files / media_of(photo).name
    path.unlink()
    path.mkdir()
    user = Client()
    user.force_login(User.objects.create_superuser("operator"))
    answer = user.get(where(photo))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("permissions", "status"), [((), 403), (("view_media",), 403), (("view_message",), 200), (("change_message",), 200)]
)
def test_the_permission_to_view_messages_shows_their_files(
    permissions: tuple[str, ...], status: int, photo: Message
) -> None:
    assert staff(*permissions).get(content(photo)).status_code == status


def test_without_logging_in_the_admin_shows_no_file(photo: Message) -> None:
    assert Client().get(content(photo)).status_code == 302


@pytest.mark.parametrize(
    ("kind", "shows"),
    [("image", "<img src="), ("audio", "<audio controls"), ("document", "hello.pdf"), ("sticker", "<img src=")],
)
def test_the_message_page_shows_the_file(
    kind: str, shows: str, sends: Sends, fetch: Fetch, admin_client: Client
) -> None:
    message = sends(type=kind)
    fetch()
    page = admin_client.get(f"/admin/messaging/message/{message.pk}/change/").content.decode()
    assert (shows in page, content(message) in page) == (True, True)


def test_the_senders_file_name_is_escaped(sends: Sends, fetch: Fetch, admin_client: Client) -> None:
    script = "<script>alert(1)</script>.pdf"
    message = sends(type="document", media={"data": data(b"%PDF"), "filename": script, "mime_type": "application/pdf"})
    fetch()
    pages = [f"/admin/messaging/message/{message.pk}/change/", f"/admin/messaging/media/{message.pk}/change/"]
    assert not any("<script>alert" in admin_client.get(page).content.decode() for page in pages)


def test_a_missing_file_has_a_download_button(sends: Sends, fetch: Fetch, admin_client: Client) -> None:
    message = sends(media={"fault": "gone"})
    fetch()
    page = admin_client.get(f"/admin/messaging/message/{message.pk}/change/").content.decode()
    admin_client.post(f"/admin/messaging/media/{message.pk}/again/")
    assert ("Download again" in page, media_of(message).state, AuditEntry.objects.count()) == (True, "waiting", 1)


def test_an_account_without_the_change_permission_sees_no_button(sends: Sends, fetch: Fetch) -> None:
    message = sends(media={"fault": "gone"})
    fetch()
    viewer = staff("view_message", "view_media")
    page = viewer.get(f"/admin/messaging/message/{message.pk}/change/").content.decode()
    answer = viewer.post(f"/admin/messaging/media/{message.pk}/again/").status_code
    assert ("Download again" in page, answer, media_of(message).state) == (False, 403, "gone")


def test_many_files_are_downloaded_again_from_the_list(sends: Sends, fetch: Fetch, admin_client: Client) -> None:
    pks = [str(sends(media={"fault": "gone"}).pk) for _ in range(2)]
    fetch()
    form = {"action": "download_again", "_selected_action": pks}
    page = admin_client.post("/admin/messaging/media/", form, follow=True).content.decode()
    assert ("Downloading 2 again" in page, Media.objects.filter(state="waiting").count()) == (True, 2)


def test_the_list_tells_downloads_from_what_it_skips(sends: Sends, fetch: Fetch, admin_client: Client) -> None:
    stored, gone = sends(media={}), sends(media={"fault": "gone"})
    fetch()
    form = {"action": "download_again", "_selected_action": [str(stored.pk), str(gone.pk)]}
    answer = admin_client.post("/admin/messaging/media/", form)
    assert [(one.level_tag, one.message) for one in get_messages(answer.wsgi_request)] == [
        ("success", "Downloading 1 again."),
        ("warning", "1 skipped: stored already, or deleted."),
    ]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\ann\\bill.pdf", "bill.pdf"),
        ("/bill.pdf", "bill.pdf"),
        ("bill.pdf", "bill.pdf"),
    ],
)
def test_a_file_name_in_a_header_has_no_path(
    given: str, shown: str, api: APIClient, sends: Sends, fetch: Fetch
) -> None:
    message = sends(type="document", media={"data": data(b"%PDF"), "filename": given, "mime_type": "application/pdf"})
    fetch()
    assert api.get(url_of(message)).headers["Content-Disposition"] == f'attachment; filename="{shown}"'


@pytest.mark.parametrize("given", ["..", "a/", "\\"])
def test_a_file_name_that_is_only_a_path_is_replaced(given: str) -> None:
    media = Media(kind="document", mime_type="application/pdf", filename=given)
    assert filename_of(media) == f"document-{media.pk}.pdf"
