"""A file for messages to come: from a client through the API to Meta."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from messaging.media import api as uploading
from messaging.whatsapp.media import NotSendable, check_upload
from messaging.whatsapp.media_api import MediaApi
from tests.messaging.sandbox.process import TOKEN, Sandbox

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


@pytest.fixture
def meta_api(meta: Sandbox, settings: Any) -> Iterator[MediaApi]:
    """The API's own way to this sandbox."""
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN = f"http://127.0.0.1:{meta.port}", TOKEN
    uploading._api.cache_clear()
    yield uploading._api("WA_ACCESS_TOKEN")
    uploading._api.cache_clear()


def upload(client: APIClient, content: bytes = b"a photo", mime_type: str = "image/jpeg", **fields: str) -> Any:
    file = SimpleUploadedFile("photo.jpg", content, mime_type)
    return client.post("/messaging/media", {"file": file, **fields}, format="multipart")


def test_a_file_is_uploaded_unchanged(api: APIClient, meta_api: MediaApi, meta: Sandbox, tmp_path: Any) -> None:
    photo = bytes(range(256)) * 15_000
    answer = upload(api, photo)
    assert (answer.status_code, answer.json()["kind"], answer.json()["size"]) == (201, "image", len(photo))
    found = meta_api.look_up(answer.json()["id"])
    with (tmp_path / "file").open("w+b") as file:
        meta_api.fetch(found.url, file, 5 * MIB)
        file.seek(0)
        assert (file.read() == photo, found.mime_type) == (True, "image/jpeg")


def test_the_type_can_be_given_in_a_field(api: APIClient, meta_api: MediaApi) -> None:
    answer = upload(api, b"OggS", "application/octet-stream", type="audio/ogg; codecs=opus").json()
    assert (answer["kind"], answer["mime_type"]) == ("audio", "audio/ogg; codecs=opus")


@pytest.mark.parametrize(
    ("mime_type", "size", "kind"),
    [
        ("image/png", 1, "image"),
        ("image/webp", 1, "sticker"),
        ("video/mp4", 16 * MIB, "video"),
        ("audio/ogg; codecs=opus", 1, "audio"),
        ('audio/ogg;codecs="Opus"', 1, "audio"),
        ("application/pdf", 100 * MIB, "document"),
        ("text/plain", 1, "document"),
    ],
)
def test_the_answer_names_the_message_type_that_can_carry_the_file(mime_type: str, size: int, kind: str) -> None:
    assert check_upload(mime_type, size) == kind


@pytest.mark.parametrize(
    ("mime_type", "size", "words"),
    [
        ("image/gif", 1, "image/jpeg, image/png"),
        ("audio/opus", 1, "audio/ogg"),
        ("audio/ogg", 1, "codecs=opus"),
        ("audio/ogg; codecs=vorbis", 1, "codecs=opus"),
        ("image/jpeg", 5 * MIB + 1, "5,242,880"),
        ("image/jpeg", 0, "empty"),
        ("photo", 1, "MIME"),
    ],
)
def test_a_file_that_no_message_can_carry_is_refused_with_the_reason(mime_type: str, size: int, words: str) -> None:
    with pytest.raises(NotSendable, match=words):
        check_upload(mime_type, size)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"mime_type": "image/gif"}, "file"), ({"content": b""}, "file"), ({"sender": "12"}, "sender")],
)
def test_an_invalid_upload_names_the_field(
    fields: dict[str, Any], field: str, api: APIClient, meta_api: MediaApi
) -> None:
    answer = upload(api, **fields)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_an_upload_without_a_file_is_400(api: APIClient) -> None:
    answer = api.post("/messaging/media", {"type": "image/jpeg"}, format="multipart")
    assert (answer.status_code, list(answer.json())) == (400, ["file"])


def test_an_upload_over_the_limit_is_not_read(api: APIClient) -> None:
    answer = api.post("/messaging/media", b"", content_type="multipart/form-data; boundary=b", CONTENT_LENGTH=102 * MIB)
    assert answer.status_code == 413


def test_meta_unavailable_makes_an_upload_a_503_with_retry_after(api: APIClient, settings: Any) -> None:
    settings.WA_GRAPH_URL = "http://127.0.0.1:9"
    uploading._api.cache_clear()
    answer = upload(api)
    uploading._api.cache_clear()
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


def test_uploads_over_the_limit_of_one_process_are_a_503(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(uploading, "_uploads", threading.BoundedSemaphore(1))
    uploading._uploads.acquire()
    assert upload(api).status_code == 503


@pytest.mark.parametrize(
    "fields", [{f"f{n}": "1" for n in range(1100)}, {f"f{n}": SimpleUploadedFile("a.jpg", b"a") for n in range(110)}]
)
def test_a_form_that_is_too_long_is_a_400_and_no_traceback(
    fields: dict[str, Any], api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api.post("/messaging/media", fields, format="multipart")
    assert (answer.status_code, answer.json()) == (400, {"detail": "The form has too many fields or files."})
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
