"""The admin in its theme: every page of ours wears it, on a phone and in the dark too."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.models import AccountEvent, Contact, Message
from messaging.states import Status
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import in_state
from tests.pages import THEMES, OpenPage, check_looks, needs_chromium
from waproject.web.admin.theme import SIDEBAR
from waproject.web.admin.themed_admin import ModelAdmin

# Django calls people who log in users; here a user is a person who writes on WhatsApp.
OTHER_NAMES = {
    "Files": "media",
    "Audit log": "audit entries",
    "API clients and keys": "API clients",
    "Staff accounts": "users",
}


def test_every_models_pages_are_in_the_theme() -> None:
    strangers = [model for model, page in admin.site._registry.items() if not isinstance(page, ModelAdmin)]
    assert strangers == []


@pytest.mark.django_db
def test_a_browser_finds_the_icon(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()
    (href,) = re.findall(r'<link rel="icon" href="([^"]+)"', " ".join(page.split()))
    assert client.get(href).headers["Content-Type"] == "image/svg+xml"


def test_every_model_is_in_the_sidebar() -> None:
    links = {str(item["link"]) for group in SIDEBAR for item in group["items"]}
    models = {f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry}
    assert models - links == set()


def test_the_sidebar_and_a_page_have_one_name_for_a_thing() -> None:
    titles = {str(item["link"]): item["title"] for group in SIDEBAR for item in group["items"]}
    pages = {f"/admin/{one._meta.app_label}/{one._meta.model_name}/": one for one in admin.site._registry}
    named = {titles[link]: str(model._meta.verbose_name_plural) for link, model in pages.items()}
    others = {title: name for title, name in named.items() if title.lower() != name.lower()}
    assert others == OTHER_NAMES


@pytest.mark.django_db
def test_the_sidebar_leaves_out_what_one_may_not_see() -> None:
    client = Client()
    client.force_login(User.objects.create(username="new", is_staff=True))
    assert 'href="/admin/messaging/message/"' not in client.get("/admin/").content.decode()


PAGES = {
    "index": "/admin/",
    "messages": "/admin/messaging/message/",
    "message": "/admin/messaging/message/{message}/change/",
    "inbound": "/admin/messaging/message/{inbound}/change/",
    "event": "/admin/messaging/accountevent/{event}/change/",
    "contact": "/admin/messaging/contact/{contact}/change/",
    "number": "/admin/messaging/businessnumber/",
    "subscription": "/admin/messaging/subscription/add/",
    "hold": "/admin/messaging/hold/add/",
    "silence": "/admin/monitoring/silence/add/",
    "account": "/admin/auth/user/add/",
}


@needs_chromium
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqs")
@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_can_be_read_by_everybody(open_page: OpenPage, theme: str) -> None:
    receive(webhook(inbound_text(sender="15551230001", text="Is my order on its way? " * 20), name="Ann"))
    # As long as Meta's: a wamid of a business-scoped user id, and a digest.
    Message.objects.update(wamid="wamid." + "HBgXVVMuMTM0OTEyMDg2NTUz" * 4)
    event = AccountEvent.objects.create(
        kind="account_update", at=timezone.now(), digest="0123456789abcdef" * 4, raw={"event": "x" * 90}
    )
    rows = {
        "message": in_state(Status.FAILED, error_code=131026, error_title="Message undeliverable").pk,
        "inbound": Message.objects.get(direction="inbound").pk,
        "event": event.pk,
        "contact": Contact.objects.get().pk,
    }
    page = open_page("/admin/", color_scheme=theme)
    for name, path in PAGES.items():
        page.goto(path.format(**rows))
        check_looks(page, theme, name)


@pytest.mark.django_db
def test_times_are_written_one_way_with_their_seconds(admin_client: Client) -> None:
    event = AccountEvent.objects.create(
        kind="account_update", at=datetime(2026, 11, 26, 15, 4, 5, tzinfo=UTC), digest="d", raw={}
    )
    page = admin_client.get(f"/admin/messaging/accountevent/{event.pk}/change/").content.decode()
    assert "2026-11-26 15:04:05" in page


@pytest.mark.django_db
def test_a_log_in_without_a_destination_leads_to_the_first_page(client: Client) -> None:
    User.objects.create_superuser("ann", password="only-for-tests")
    answer = client.post("/admin/login/", {"username": "ann", "password": "only-for-tests"})
    assert answer.headers["Location"] == "/admin/"
