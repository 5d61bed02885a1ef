"""Error answers: a page for people, JSON for programs."""

import json
from typing import Any

import pytest
from django.test import RequestFactory

from waproject.logs.context import log_context
from waproject.web import error_pages

SLASH = "There is nothing here: the API's paths have no trailing slash."
NOTHING = "There is nothing here. The address is wrong, or what it showed no longer exists."


@pytest.mark.parametrize(
    ("path", "detail"),
    [("/messaging/send/", SLASH), ("/messaging/nothing", NOTHING), ("/", SLASH)],
)
def test_a_program_learns_why_there_is_nothing(path: str, detail: str) -> None:
    answer = error_pages.not_found(RequestFactory().get(path))
    assert (answer.status_code, json.loads(answer.content)) == (404, {"detail": detail})


@pytest.mark.parametrize("path", ["/admin/x/", "/admin/x"])
def test_below_the_admin_a_slash_is_no_reason(path: str) -> None:
    answer = error_pages.not_found(RequestFactory().get(path))
    text = answer.content.decode()
    assert (answer.status_code, "<html" in text, "trailing slash" in text) == (404, True, False)


@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (error_pages.bad_request, 400, "Something in the address or the form is not valid."),
        (error_pages.forbidden, 403, "Your account lacks the permission."),
        (error_pages.csrf_failure, 403, "The form has expired"),
        (error_pages.server_error, 500, ""),
    ],
)
@pytest.mark.parametrize("accept", ["text/html,*/*", "application/json", ""])
def test_every_error_is_a_page_for_browsers_and_json_for_programs(
    view: Any, status: int, words: str, accept: str
) -> None:
    answer = view(RequestFactory().get("/messaging/x", headers={"Accept": accept} if accept else {}))
    text = answer.content.decode()
    assert (answer.status_code, "<html" in text, words in text) == (status, "html" in accept, True)


BROWSER = {"Accept": "text/html"}
EXPIRED = "Nothing was saved. Go back and load the page again; if that does not help, allow cookies."


@pytest.mark.parametrize(
    ("view", "detail"),
    [
        (
            error_pages.bad_request,
            "This request cannot be answered. Something in the address or the form is not valid.",
        ),
        (lambda request: error_pages.bad_request(request, detail="It has a NUL."), "It has a NUL."),
        (
            error_pages.forbidden,
            "You may not see this. Your account lacks the permission. An administrator can add it.",
        ),
        (error_pages.csrf_failure, f"The form has expired. {EXPIRED}"),
        (
            error_pages.server_error,
            "Something failed. Try again. If it lasts, look for the request id below in the log.",
        ),
    ],
    ids=["bad request", "with a reason", "forbidden", "expired form", "failure"],
)
def test_a_program_gets_a_title_and_a_sentence_or_the_reason_alone(view: Any, detail: str) -> None:
    assert json.loads(view(RequestFactory().get("/messaging/x")).content) == {"detail": detail}


@pytest.mark.parametrize(
    ("view", "title", "text"),
    [
        (lambda request: error_pages.bad_request(request, detail="It has a NUL."), "This request cannot be answered",
         "It has a NUL."),
        (error_pages.csrf_failure, "The form has expired", EXPIRED),
        (error_pages.forbidden, "You may not see this", "Your account lacks the permission."),
        (error_pages.server_error, "Something failed", "Try again."),
    ],
)  # fmt: skip
def test_a_page_has_its_title_and_text_and_a_500_its_request_id(view: Any, title: str, text: str) -> None:
    with log_context(request_id="r-77"):
        answer = view(RequestFactory().get("/messaging/x", headers=BROWSER))
    page = answer.content.decode()
    assert (title in page, text in page, f">{answer.status_code}<" in page) == (True, True, True)
    assert ("r-77" in page) is (answer.status_code == 500)


def test_a_page_outside_of_a_request_has_no_id() -> None:
    assert error_pages._request_id() == ""


@pytest.mark.parametrize(
    ("path", "accept", "is_page"),
    [
        ("/admin/x", "application/json", True),
        ("/monitoring/dashboard", "application/json", True),
        ("/monitoring/summary", "application/json", False),
        ("/monitoring/summary", "text/html", True),
        ("/monitoring/summary", None, False),
    ],
)
def test_pages_and_browsers_get_a_page(path: str, accept: str | None, is_page: bool) -> None:
    request = RequestFactory().get(path, headers={"Accept": accept} if accept else {})
    assert ("<html" in error_pages.forbidden(request).content.decode()) is is_page
