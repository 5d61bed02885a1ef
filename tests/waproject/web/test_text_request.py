"""What Django cannot read in a request's Content-Type and Accept."""

import pytest
from django.core.exceptions import TooManyFieldsSent
from django.test import RequestFactory

from waproject.web.text_request import TextRequest


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        *((name, None) for name in ("hex", "rot13", "zlib", "nonsense", "punycode", "PunyCode", "idna", "undefined")),
        ("utf-8", "utf-8"),
        ("latin-1", "latin-1"),
    ],
)
def test_a_charset_of_no_text_is_ignored(charset: str, encoding: str | None) -> None:
    environ = RequestFactory().get("/", {"next": "/"}).environ
    request = TextRequest({**environ, "CONTENT_TYPE": f"text/plain; charset={charset}"})
    assert (request.encoding, request.GET["next"]) == (encoding, "/")


@pytest.mark.parametrize("parameter", ["x*=nonsense''a", "x*=;;x*0*=nonsense=0", "x*=\0''a", "x*1* =nonsense''a"])
def test_a_parameter_of_rfc_2231_is_left_out(parameter: str) -> None:
    environ = RequestFactory().get("/").environ
    accept = f"application/json;{parameter}, text/html;q=0.8"
    request = TextRequest({**environ, "CONTENT_TYPE": f"text/plain;{parameter}", "HTTP_ACCEPT": accept})
    assert (request.content_type, request.headers["Accept"]) == ("text/plain", "application/json, text/html")


def test_usual_headers_keep_their_parameters() -> None:
    environ = RequestFactory().get("/").environ
    accept = "text/html,application/xml;q=0.9,*/*;q=0.8"
    kind = "multipart/form-data; boundary=b; charset=utf-8"
    request = TextRequest({**environ, "CONTENT_TYPE": kind, "HTTP_ACCEPT": accept})
    assert (request.content_params, request.headers["Accept"]) == ({"boundary": "b", "charset": "utf-8"}, accept)


@pytest.mark.parametrize("charset", ["punycode", "idna"])
def test_a_charset_of_host_names_is_ignored_also_without_a_query(charset: str) -> None:
    environ = RequestFactory().post("/").environ
    assert TextRequest({**environ, "CONTENT_TYPE": f"text/plain; charset={charset}"}).encoding is None


def test_too_many_parameters_of_a_query_are_found_where_django_answers_them() -> None:
    environ = RequestFactory().get("/", {str(n): "" for n in range(1001)}).environ
    request = TextRequest({**environ, "CONTENT_TYPE": "application/json; charset=utf-8"})
    with pytest.raises(TooManyFieldsSent):
        _ = request.GET


@pytest.mark.parametrize("header", ["Content-Type", "Accept"])
def test_one_header_that_cannot_be_read_changes_no_other(header: str) -> None:
    environ = RequestFactory().get("/").environ
    given = {"CONTENT_TYPE": "text/plain; charset=latin-1", "HTTP_ACCEPT": "text/html;q=0.8"}
    odd = {"CONTENT_TYPE": "text/plain; x*=a''b"} if header == "Content-Type" else {"HTTP_ACCEPT": "a/b; x*=a''b"}
    request = TextRequest({**environ, **given, **odd})
    found = (request.META["CONTENT_TYPE"], request.META["HTTP_ACCEPT"])
    assert found == (
        ("text/plain", "text/html;q=0.8") if header == "Content-Type" else ("text/plain; charset=latin-1", "a/b")
    )


def test_headers_that_are_missing_are_none() -> None:
    environ = RequestFactory().get("/").environ
    for name in ("CONTENT_TYPE", "HTTP_ACCEPT"):
        environ.pop(name, None)
    request = TextRequest(environ)
    assert ("HTTP_ACCEPT" in request.META, request.content_type) == (False, "")


def test_a_star_in_a_value_is_no_reason_to_leave_it_out() -> None:
    environ = RequestFactory().get("/").environ
    request = TextRequest({**environ, "HTTP_ACCEPT": "a/*;q=*, */*", "CONTENT_TYPE": "a*/b; x=*"})
    assert (request.headers["Accept"], request.content_params) == ("a/*;q=*, */*", {"x": "*"})
