"""Each account names the variable that holds its token; sends, receipts and files use that one."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from messaging.accounts import MissingToken, access_token, token_name_of
from messaging.accounts.tokens import clear_token_cache
from messaging.models import Account, BusinessNumber
from messaging.models.accounts import valid_token_name
from messaging.outgoing.call_pool import CallPool, _clients
from messaging.whatsapp.errors import Misconfigured, Scope
from tests.messaging.factories import answered, claimed, number
from tests.messaging.whatsapp.wire import Server, answering, http

pytestmark = pytest.mark.django_db
SHOP = "WA_ACCESS_TOKEN_SHOP"


@pytest.mark.parametrize("name", ["WA_ACCESS_TOKEN", SHOP, "WA_ACCESS_TOKEN_2"])
def test_a_variable_of_a_token_is_named(name: str) -> None:
    valid_token_name(name)


@pytest.mark.parametrize("name", ["SECRET_KEY", "WA_APP_SECRET", f"{SHOP}a", "", f"{SHOP}\n"])
def test_no_other_secret_travels_to_meta_as_a_token(name: str) -> None:
    with pytest.raises(ValidationError):
        valid_token_name(name)


def test_a_missing_variable_is_named(settings: Any) -> None:
    settings.WA_ACCESS_TOKENS = {}
    with pytest.raises(MissingToken, match=SHOP):
        access_token(SHOP)


def test_the_secret_key_is_never_given_as_a_token(settings: Any) -> None:
    settings.WA_ACCESS_TOKENS = {"SECRET_KEY": "x"}
    with pytest.raises(MissingToken):
        access_token("SECRET_KEY")


def test_an_unknown_account_uses_the_default_token() -> None:
    assert token_name_of("77") == "WA_ACCESS_TOKEN"


def test_another_token_is_used_after_the_cache() -> None:
    token_name_of("77")
    Account.objects.create(waba_id="77", token_name=SHOP)
    clear_token_cache()
    assert token_name_of("77") == SHOP


def test_a_claim_names_the_token_of_its_account() -> None:
    Account.objects.create(waba_id="77", token_name=SHOP)
    number(waba_id="77")
    assert claimed().token_name == SHOP


@pytest.mark.parametrize(("token_name", "token"), [("WA_ACCESS_TOKEN", "one"), (SHOP, "two")])
def test_a_send_carries_the_token_of_its_account(settings: Any, token_name: str, token: str) -> None:
    server = Server()
    server.behaviour = answering(http(body={"messages": [{"id": "wamid.1"}]}))
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN, settings.WA_ACCESS_TOKENS = server.url, "one", {SHOP: "two"}
    _clients(2)(token_name).send("106", {"to": "1"})
    server.close()
    assert f"Authorization: Bearer {token}\r\n".encode() in server.requests[0][0]


def test_a_missing_token_is_an_error_of_the_account(settings: Any) -> None:
    settings.WA_ACCESS_TOKENS = {}
    Account.objects.create(waba_id="77", token_name=SHOP)
    number(waba_id="77")
    pool = CallPool(_clients(2), 2)
    try:
        result = pool._result(claimed())
    finally:
        pool.close(5)
    assert isinstance(result, Misconfigured)
    assert (result.scope, SHOP in result.title) == (Scope.ACCOUNT, True)


def test_a_refused_token_pauses_the_numbers_of_its_accounts_alone() -> None:
    row = claimed()
    Account.objects.bulk_create([Account(waba_id="77", token_name=SHOP), Account(waba_id="88")])
    for name, waba_id in (("SHOP", "77"), ("SAME", "88"), ("UNKNOWN", "")):
        BusinessNumber.objects.create(phone_number_id=name, waba_id=waba_id)
    answered(row, Misconfigured(code=190, scope=Scope.APP, title="no"))
    paused = set(BusinessNumber.objects.exclude(paused_at=None).values_list("phone_number_id", flat=True))
    assert paused == {row.phone_number_id, "SAME", "UNKNOWN"}


def test_another_refused_token_pauses_no_number_of_the_default_one() -> None:
    Account.objects.create(waba_id="77", token_name=SHOP)
    number(waba_id="77")
    row = claimed()
    BusinessNumber.objects.create(phone_number_id="SAME", waba_id="88")
    answered(row, Misconfigured(code=190, scope=Scope.APP, title="no"))
    paused = BusinessNumber.objects.exclude(paused_at=None).values_list("phone_number_id", flat=True)
    assert list(paused) == [row.phone_number_id]
