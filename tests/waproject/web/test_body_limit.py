"""Bodies: how long they may be, by path, and how a chunked one is read."""

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from waproject.web.body_limit import BodyLimitMiddleware, BodyRefused, limit_of, read_body

LIMITS = {"WEBHOOK_MAX_BYTES": 300, "UPLOAD_MAX_BYTES": 200, "API_MAX_BYTES": 100}


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    for name, value in LIMITS.items():
        setattr(settings, name, value)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/webhook/whatsapp", 300),
        ("/messaging/media", 200),
        ("/messaging/media/7", 100),
        ("/messaging/send", 100),
        ("/", 100),
    ],
)
def test_each_path_has_its_limit(path: str, limit: int) -> None:
    assert limit_of(path) == limit


class Broken(io.BytesIO):
    """A client that disconnects."""

    def read(self, *_: Any) -> bytes:
        raise OSError


def environ(body: bytes | io.BytesIO, *, chunked: bool, terminated: bool = True) -> dict[str, Any]:
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    how = {"HTTP_TRANSFER_ENCODING": " Chunked"} if chunked else {"CONTENT_LENGTH": str(len(stream.getvalue()))}
    base = RequestFactory().post("/messaging/send").environ
    base = {name: value for name, value in base.items() if name != "CONTENT_LENGTH"}
    return {**base, "wsgi.input": stream, "wsgi.input_terminated": terminated, **how}


def answered(given: dict[str, Any]) -> tuple[int, bytes]:
    """(status, body that a view reads, or the answer)."""
    read: list[bytes] = []

    def view(request: HttpRequest) -> HttpResponse:
        read.append(request.body)
        return HttpResponse()

    answer = BodyLimitMiddleware(view)(WSGIRequest(given))
    return answer.status_code, read[0] if read else answer.content


OVER = b'{"detail": "The body is over the limit of 100 bytes."}'


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(
    ("size", "answer"), [(0, (200, b"")), (100, (200, b"x" * 100)), (101, (413, OVER)), (5000, (413, OVER))]
)
def test_a_body_reaches_the_view_up_to_the_limit(size: int, answer: tuple[int, bytes], chunked: bool) -> None:
    assert answered(environ(b"x" * size, chunked=chunked)) == answer


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(("size", "status"), [(0, None), (100, None), (101, 413)])
def test_a_body_read_without_django_has_the_same_limit(size: int, status: int | None, chunked: bool) -> None:
    given = environ(b"x" * size, chunked=chunked)
    if status is None:
        assert read_body(given, 100) == b"x" * size
    else:
        with pytest.raises(BodyRefused) as refused:
            read_body(given, 100)
        assert (refused.value.status, refused.value.detail) == (413, "The body is over the limit of 100 bytes.")


@pytest.mark.parametrize(
    ("chunked", "detail"), [(True, "The body's chunks are invalid."), (False, "The body is incomplete.")]
)
def test_a_body_that_breaks_off_is_refused(chunked: bool, detail: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        read_body(environ(Broken(), chunked=chunked), 100)
    assert (refused.value.status, refused.value.detail) == (400, detail)


def test_chunks_whose_end_the_server_does_not_mark_are_not_read() -> None:
    assert answered(environ(b"x", chunked=True, terminated=False)) == (200, b"")


@pytest.mark.parametrize("length", ["", "many", "-1"])
def test_an_invalid_length_is_no_body(length: str) -> None:
    assert read_body({**environ(b"xyz", chunked=False), "CONTENT_LENGTH": length}, 100) == b""
