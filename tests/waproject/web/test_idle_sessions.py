"""A session ends after its idle time-out."""

import time
from typing import Any

import pytest
from django.test import Client

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
    ("headers", "is_activity"),
    [(HTML, True), ({**HTML, "HX-Request": "true"}, False), ({"Accept": "application/json"}, False)],
)
def test_only_user_activity_keeps_a_session(headers: dict[str, str], is_activity: bool, admin_client: Client) -> None:
    last_used(admin_client, 600)
    admin_client.get(PAGE, headers=headers)
    assert (time.time() - admin_client.session[SEEN] < 60) == is_activity


def test_a_session_is_not_saved_at_every_request(admin_client: Client) -> None:
    last_used(admin_client, 30)
    before = admin_client.session[SEEN]
    admin_client.get(PAGE, headers=HTML)
    assert admin_client.session[SEEN] == before


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
    answer = admin_client.get("/admin/messaging/message/?p=9999", headers={"HX-Request": "true"})
    assert (answer.status_code, "HX-Refresh" in answer) == (302, False)
