"""A charset of no text in a request's Content-Type."""

import pytest
from django.test import RequestFactory

from waproject.web.text_request import TextRequest


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("hex", None), ("rot13", None), ("zlib", None), ("nonsense", None), ("utf-8", "utf-8"), ("latin-1", "latin-1")],
)
def test_a_charset_of_no_text_is_ignored(charset: str, encoding: str | None) -> None:
    environ = RequestFactory().get("/", {"next": "/"}).environ
    request = TextRequest({**environ, "CONTENT_TYPE": f"text/plain; charset={charset}"})
    assert (request.encoding, request.GET["next"]) == (encoding, "/")
