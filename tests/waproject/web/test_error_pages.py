"""Error answers: a page for people, JSON for programs."""

import json
from typing import Any

import pytest
from django.test import RequestFactory

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
