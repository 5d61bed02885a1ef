"""Accounts and numbers in the admin: what Meta owns cannot be edited."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from messaging.accounts.admin import AccountAdmin
from messaging.models import Account, AuditEntry, BusinessNumber

pytestmark = pytest.mark.django_db


def post(client: Client, row: Any, **data: str) -> Any:
    return client.post(f"/admin/messaging/{row._meta.model_name}/{row.pk}/change/", data)


def test_facts_of_meta_are_not_edited(admin_client: Client) -> None:
    account = Account.objects.create(waba_id="77", name="Shop", review_status="PENDING")
    answer = post(
        admin_client, account, waba_id="78", name="Other", review_status="APPROVED", token_name="WA_ACCESS_TOKEN_X"
    )
    account.refresh_from_db()
    assert answer.status_code == 302
    assert (account.waba_id, account.name, account.review_status) == ("77", "Shop", "PENDING")
    assert (account.token_name, AuditEntry.objects.get().details) == (
        *("WA_ACCESS_TOKEN_X", {"token_name": "WA_ACCESS_TOKEN_X"}),
    )


def test_another_secret_is_refused_as_a_token(admin_client: Client) -> None:
    account = Account.objects.create(waba_id="77")
    answer = post(admin_client, account, token_name="WA_APP_SECRET")
    account.refresh_from_db()
    assert (answer.status_code, account.token_name) == (200, "WA_ACCESS_TOKEN")


@pytest.mark.parametrize(("waba_id", "stored"), [("12345", 1), ("12 345", 0), ("W1", 0), ("", 0)])
def test_the_id_of_a_new_account_is_checked(admin_client: Client, waba_id: str, stored: int) -> None:
    admin_client.post("/admin/messaging/account/add/", {"waba_id": waba_id, "token_name": "WA_ACCESS_TOKEN"})
    assert Account.objects.count() == stored


def test_facts_of_a_number_are_not_edited(admin_client: Client) -> None:
    number = BusinessNumber.objects.create(phone_number_id="7", display_phone_number="15550001", quality="RED")
    given = {"phone_number_id": "8", "display_phone_number": "1", "quality": "GREEN", "rate": "20", "portfolio": "p"}
    answer = post(admin_client, number, **given)
    number.refresh_from_db()
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert (number.phone_number_id, number.display_phone_number, number.quality, number.rate) == (
        *("7", "15550001", "RED", 20),
    )


def test_saving_an_account_leaves_what_webhooks_write_meanwhile(rf: RequestFactory) -> None:
    stale = Account.objects.create(waba_id="77")
    Account.objects.update(restriction="RESTRICTED")
    stale.token_name = "WA_ACCESS_TOKEN_X"
    request = rf.post("/")
    request.user = User(username="ann")
    form = SimpleNamespace(changed_data=["token_name"])
    AccountAdmin(Account, admin.site).save_model(request, stale, form, change=True)
    row = Account.objects.get()
    assert (row.token_name, row.restriction) == ("WA_ACCESS_TOKEN_X", "RESTRICTED")
