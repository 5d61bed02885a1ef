"""Templates in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Hold
from tests.messaging.message_templates.rows import synced_template

LIST = "/admin/messaging/template/"
pytestmark = pytest.mark.django_db


def page(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def change_page(client: Client, **facts: Any) -> str:
    return page(client, f"{LIST}{synced_template(**facts).pk}/change/")


def names(client: Client, query: str = "") -> list[str]:
    """The names in the list."""
    found = client.get(LIST + query).context["cl"].result_list
    return [row.name for row in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["offer", "sale"]),
        ("?q=FF", ["offer"]),
        ("?q=4711", ["sale"]),
        ("?status=PAUSED", ["sale"]),
        ("?category=MARKETING", ["sale"]),
        ("?held=yes", ["sale"]),
        ("?held=no", ["offer"]),
        ("?removed=yes", ["old"]),
        ("?removed=all", ["offer", "old", "sale"]),
    ],
)
def test_the_list_is_searched_and_filtered(admin_client: Client, query: str, expected: list[str]) -> None:
    synced_template()
    synced_template("sale", status="PAUSED", category="MARKETING", template_id="4711")
    synced_template("old", status="DELETED", removed_at="2026-01-01T00:00Z")
    Hold.objects.create(kind="template", key="sale", by="meta", waba_id="77", language="en")
    assert names(admin_client, query) == expected


def test_the_list_makes_a_fixed_number_of_queries(admin_client: Client) -> None:
    synced_template()
    page(admin_client)
    with CaptureQueriesContext(connection) as of_one:
        page(admin_client)
    for name in ("a", "b", "c"):
        synced_template(name)
    with CaptureQueriesContext(connection) as of_four:
        page(admin_client)
    assert len(of_four) == len(of_one)


def test_a_template_is_shown_with_its_example_values(admin_client: Client) -> None:
    body = {"type": "BODY", "text": "Hi {{1}}, welcome", "example": {"body_text": [["<b>Ann</b>"]]}}
    assert '<p class="bubble-text">Hi &lt;b&gt;Ann&lt;/b&gt;, welcome</p>' in change_page(
        admin_client, components=[body]
    )


def test_a_carousel_is_shown_with_its_cards(admin_client: Client) -> None:
    card = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "One card"}]}
    shown = change_page(admin_client, components=[{"type": "CAROUSEL", "cards": [card, card]}])
    assert shown.count("One card</p>") == 2


def test_a_template_shows_meta_s_reason_and_its_holds(admin_client: Client) -> None:
    Hold.objects.create(kind="template", key="offer", by="meta", waba_id="77", reason="Paused by Meta")
    shown = change_page(admin_client, status="PAUSED", reason="LOW_QUALITY")
    assert ("Meta&#x27;s reason: LOW_QUALITY" in shown, "Held: Paused by Meta" in shown) == (True, True)


def test_a_template_links_to_the_messages_that_used_it(admin_client: Client) -> None:
    link = "/admin/messaging/message/?template__exact=offer"
    assert link in change_page(admin_client)
    assert admin_client.get(link).status_code == 200


def test_the_links_are_shown_to_those_who_may_follow_them(client: Client) -> None:
    staff = User.objects.create(username="ann", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename="view_template"))
    client.force_login(staff)
    assert "template__exact" not in change_page(client)


def test_a_template_lists_the_parameters_of_a_send(admin_client: Client) -> None:
    body = {"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Ann"]]}}
    assert "<code>body.1</code> text, such as Ann" in change_page(admin_client, components=[body])


def test_nothing_of_a_template_is_edited_here(admin_client: Client) -> None:
    row = synced_template()
    answers = [
        admin_client.get(f"{LIST}add/").status_code,
        admin_client.post(f"{LIST}{row.pk}/change/", {"name": "other"}).status_code,
        admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code,
    ]
    assert answers == [403, 403, 403]
