"""API clients and keys in the admin."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import ApiClient, ApiKey, AuditEntry
from tests.admin.staff import staff

pytestmark = pytest.mark.django_db
LIST = "/admin/messaging/apiclient/"
KEY = re.compile(rb"wak_[A-Za-z0-9]{8}_[A-Za-z0-9]{43}")


def issue(client: Client, owner: ApiClient) -> Any:
    return client.post(LIST, {"action": "issue_key", "_selected_action": [owner.pk]})


@pytest.fixture
def shop() -> ApiClient:
    """A client without keys."""
    return ApiClient.objects.create(name="shop")


def test_a_new_api_key_is_shown_on_the_page_and_works(shop: ApiClient, admin_client: Client) -> None:
    (key,) = KEY.findall(issue(admin_client, shop).content)
    answer = Client().get("/messaging/messages", headers={"Authorization": f"Bearer {key.decode()}"})
    assert answer.status_code == 200


def test_a_new_key_is_in_no_header_cookie_or_session(shop: ApiClient, admin_client: Client) -> None:
    answer = issue(admin_client, shop)
    (key,) = KEY.findall(answer.content)
    stored = f"{answer.headers} {answer.cookies} {admin_client.cookies} {dict(admin_client.session)}"
    assert key.decode() not in stored and not KEY.search(admin_client.get(LIST).content)


def test_the_page_with_a_new_key_is_not_cached(shop: ApiClient, admin_client: Client) -> None:
    assert "no-store" in issue(admin_client, shop).headers["Cache-Control"]


def test_a_new_key_is_in_the_audit_log_by_its_prefix(shop: ApiClient, admin_client: Client) -> None:
    issue(admin_client, shop)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.object) == ("admin", "issue key", f"client {shop.pk}")
    assert entry.details == {"key": str(ApiKey.objects.get())}


@pytest.mark.parametrize(
    ("is_operator", "permissions", "made"),
    [
        (False, ["change_apiclient"], 0),
        (False, ["change_apiclient", "add_apikey"], 1),
        (True, ["change_apiclient", "add_apikey"], 0),
        (True, ["change_apiclient", "add_apikey", "redrive"], 1),
    ],
)
def test_issuing_a_key_needs_the_permissions(
    is_operator: bool, permissions: list[str], made: int, shop: ApiClient
) -> None:
    ApiClient.objects.update(operator=is_operator)
    issue(staff(*permissions), shop)
    assert ApiKey.objects.count() == made


@pytest.mark.parametrize(
    ("permissions", "is_operator"), [(["change_apiclient"], False), (["change_apiclient", "redrive"], True)]
)
def test_only_an_account_with_the_redrive_permission_makes_an_operator(
    permissions: list[str], is_operator: bool, shop: ApiClient
) -> None:
    form = {"name": "shop", "active": "on", "operator": "on", "keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0}
    staff(*permissions).post(f"{LIST}{shop.pk}/change/", form)
    shop.refresh_from_db()
    assert shop.operator == is_operator


@pytest.mark.parametrize(("given", "allowed"), [({}, False), ({"may_send_high": "on"}, True)])
def test_an_administrator_decides_whether_a_client_may_use_high_priority(
    given: dict[str, str], allowed: bool, shop: ApiClient, admin_client: Client
) -> None:
    ApiClient.objects.update(may_send_high=not allowed)
    form = {"name": "shop", "active": "on", "keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0, **given}
    admin_client.post(f"{LIST}{shop.pk}/change/", form)
    shop.refresh_from_db()
    assert (shop.may_send_high, AuditEntry.objects.get().details) == (allowed, {"may_send_high": allowed})


def test_a_revoked_key_is_in_the_audit_log(shop: ApiClient, admin_client: Client) -> None:
    key, _ = ApiKey.issue(shop)
    form = {
        "name": "shop", "active": "on", "keys-TOTAL_FORMS": 1, "keys-INITIAL_FORMS": 1, "keys-0-id": key.pk,
        "keys-0-client": shop.pk, "keys-0-revoked_at_0": "2026-01-01", "keys-0-revoked_at_1": "00:00:00",
    }  # fmt: skip
    admin_client.post(f"{LIST}{shop.pk}/change/", form)
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["change client", "revoke key"]


@pytest.mark.parametrize(("hours", "status"), [(-1, 401), (1, 200)])
def test_a_key_is_revoked_at_its_time(hours: int, status: int, shop: ApiClient) -> None:
    _, key = ApiKey.issue(shop)
    ApiKey.objects.update(revoked_at=timezone.now() + timedelta(hours=hours))
    answer = Client().get("/messaging/messages", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
