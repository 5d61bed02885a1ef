"""A session ends after its idle time-out."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from waproject.web import idle_sessions
from waproject.web.idle_sessions import SEEN

pytestmark = pytest.mark.django_db
PAGE = "/admin/"
HTML = {"Accept": "text/html"}


def last_used(client: Client, seconds_ago: float) -> None:
    client.get(PAGE)
    session = client.session
    session[SEEN] = time.time() - seconds_ago
    session.save()


@pytest.mark.parametrize(("idle_s", "status"), [(3590, 200), (3610, 302)])
def test_a_session_ends_after_the_idle_limit_and_not_before(
    idle_s: float, status: int, admin_client: Client, settings: Any
) -> None:
    settings.SESSION_IDLE_S = 3600
    last_used(admin_client, idle_s)
    assert admin_client.get(PAGE, headers=HTML).status_code == status


@pytest.mark.parametrize(
    ("method", "headers", "is_activity"),
    [
        ("GET", HTML, True),
        ("HEAD", HTML, True),
        ("GET", {}, False),
        ("HEAD", {}, False),
        ("GET", {**HTML, "HX-Request": "true"}, False),
        ("GET", {"Accept": "application/json"}, False),
        ("POST", {}, True),
        ("POST", {"HX-Request": "true"}, True),
    ],
)
def test_only_user_activity_keeps_a_session(
    method: str, headers: dict[str, str], is_activity: bool, admin_client: Client
) -> None:
    last_used(admin_client, 600)
    admin_client.generic(method, PAGE, headers=headers)
    assert (time.time() - admin_client.session[SEEN] < 60) == is_activity


@pytest.mark.parametrize(("seconds", "is_saved"), [(55, False), (65, True)])
def test_a_session_is_saved_once_a_minute(seconds: float, is_saved: bool, admin_client: Client) -> None:
    last_used(admin_client, seconds)
    before = admin_client.session[SEEN]
    admin_client.get(PAGE, headers=HTML)
    assert (admin_client.session[SEEN] != before) is is_saved


def test_a_session_without_a_time_begins_now(admin_client: Client) -> None:
    admin_client.get(PAGE, headers={"HX-Request": "true"})
    assert abs(time.time() - admin_client.session[SEEN]) < 60


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_request_is_answered_though_its_session_is_unreadable(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Any) -> None:
        raise error

    monkeypatch.setattr(idle_sessions, "_check", away)
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = "x"
    answer = HttpResponse("page")
    assert (
        idle_sessions.IdleSessionMiddleware(lambda given: answer if given is request else HttpResponse())(request)
        is answer
    )


def test_a_request_without_a_session_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_sessions, "_check", lambda _: pytest.fail("looked at"))
    assert idle_sessions.IdleSessionMiddleware(lambda _: HttpResponse())(RequestFactory().get("/")).status_code == 200


def test_sessions_of_closed_browsers_are_deleted() -> None:
    for key, hours in (("ended", -1), ("open", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(hours=hours))
    idle_sessions.delete_expired()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


@pytest.mark.parametrize(
    "part",
    [
        "/admin/",
        "/admin/search/?s=x",
        "/admin/messaging/conversation/",
        "/admin/messaging/conversation/01a21b20-89a7-760c-84d1-73b4217cf55a/messages/",
        "/admin/monitoring/redrivejob/lane/outgoing/progress/",
        "/analytics/",
        "/monitoring/dashboard",
    ],
)
def test_an_open_page_reloads_once_its_session_has_ended(part: str) -> None:
    whole, polled = Client().get(part), Client().get(part, headers={"HX-Request": "true"})
    assert (whole.status_code, whole["Location"].partition("?")[0]) == (302, "/admin/login/")
    assert (polled.status_code, polled.get("HX-Refresh"), polled.content) == (403, "true", b"")


def test_a_redirect_to_another_page_is_followed(admin_client: Client) -> None:
    answer = admin_client.get("/admin/messaging/message/nobody/change/", headers={"HX-Request": "true"})
    assert (answer.status_code, "HX-Refresh" in answer) == (302, False)
