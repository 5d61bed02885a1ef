"""Headers that keep foreign scripts out of pages, and personal data out of caches."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from waproject.web.response_headers import ADMIN, STRICT, STYLED, ResponseHeadersMiddleware

pytestmark = pytest.mark.django_db
PAGES = ["/admin/", "/admin/login/", "/api/docs/", "/monitoring/dashboard", "/admin/messaging/conversation/"]
PERSONAL = ["/messaging/messages", "/admin/messaging/message/", "/admin/messaging/contact/", "/monitoring/summary"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_scripts_of_its_own_host_only(path: str, admin_client: Client) -> None:
    policy = admin_client.get(path, follow=True).headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert set(scripts.split()) <= {"script-src", "'self'", "'unsafe-eval'"}


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_an_inline_script(path: str, admin_client: Client) -> None:
    page = admin_client.get(path, follow=True).content.decode()
    assert "<script>" not in page and "javascript:" not in page


@pytest.mark.parametrize("path", PERSONAL)
def test_an_answer_with_personal_data_is_not_cached(path: str, admin_client: Client) -> None:
    assert "no-store" in admin_client.get(path).headers["Cache-Control"]


REST = (
    "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def test_the_policies_allow_this_and_nothing_more() -> None:
    start = "default-src 'self'; script-src 'self'"
    assert f"{start}; style-src 'self'; {REST}" == STRICT
    assert f"{start}; style-src 'self' 'unsafe-inline'; {REST}" == STYLED
    assert f"{start} 'unsafe-eval'; style-src 'self' 'unsafe-inline'; {REST}" == ADMIN


def route(name: str = "", *apps: str) -> Any:
    return SimpleNamespace(url_name=name, app_names=apps)


@pytest.mark.parametrize(
    ("match", "status", "is_drf", "policy"),
    [
        (None, 200, False, STRICT),
        (route("x"), 200, False, STRICT),
        (route("index", "admin"), 200, False, ADMIN),
        (route("index", "admin"), 399, False, ADMIN),
        (route("index", "admin"), 400, False, STRICT),
        (route("docs"), 200, False, STYLED),
        (route("x"), 200, True, STYLED),
        (None, 200, True, STYLED),
    ],
)
def test_a_page_has_the_strictest_policy_under_which_it_works(
    match: Any, status: int, is_drf: bool, policy: str
) -> None:
    answer = HttpResponse("<html>", status=status)
    if is_drf:
        answer.accepted_renderer = None  # type: ignore[attr-defined]
    request = RequestFactory().get("/x")
    request.resolver_match = match
    found = ResponseHeadersMiddleware(lambda given: answer if given is request else HttpResponse())(request)
    assert found.headers["Content-Security-Policy"] == policy


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        (
            "/x",
            {"Content-Type": "text/html; charset=utf-8"},
            {"Content-Security-Policy": STRICT, "Cache-Control": "no-store"},
        ),
        ("/x", {"Content-Type": "application/json"}, {"Cache-Control": "no-store"}),
        ("/x", {"Content-Type": "application/json", "Cache-Control": "private"}, {"Cache-Control": "private"}),
        (
            "/x",
            {"Content-Type": "text/html", "Content-Security-Policy": "mine"},
            {"Content-Security-Policy": "mine", "Cache-Control": "no-store"},
        ),
        ("/static/x.css", {"Content-Type": "text/css"}, {}),
        ("/x", {}, {"Cache-Control": "no-store"}),
    ],
    ids=["page", "JSON", "cached on purpose", "a policy of its own", "static", "no type"],
)  # fmt: skip
def test_a_view_may_set_its_own_headers(path: str, given: dict[str, str], expected: dict[str, str]) -> None:
    answer = HttpResponse("x")
    del answer.headers["Content-Type"]
    for name, value in given.items():
        answer.headers[name] = value
    headers = ResponseHeadersMiddleware(lambda _: answer)(RequestFactory().get(path)).headers
    assert {name: value for name, value in headers.items() if name != "Content-Type"} == expected
