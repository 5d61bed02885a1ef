"""`manage.py connect` leads from a token to a connected installation, and says where it stops."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from messaging.meta_setup import State, check_setup
from messaging.models import Account, BusinessNumber
from tests.messaging.sandbox.graph_api.calls import APP, NUMBERS, WABA
from tests.messaging.sandbox.process import NUMBER, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_wrong_afterwards(meta: Sandbox) -> None:
    call_command("connect")
    assert [finding for finding in check_setup() if finding.state is not State.OK] == []


def test_the_account_and_its_numbers_are_stored(meta: Sandbox) -> None:
    call_command("connect")
    stored = sorted(BusinessNumber.objects.values_list("phone_number_id", flat=True))
    assert (list(Account.objects.values_list("waba_id", flat=True)), stored) == ([WABA], sorted(NUMBERS))


def test_it_may_be_repeated(meta: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("connect")
    call_command("connect")
    assert "✗" not in capsys.readouterr().out


def test_the_app_is_subscribed_again(meta: Sandbox) -> None:
    meta.post("/_sandbox/account", {"subscribed": False})
    call_command("connect")
    assert meta.request("GET", "/_sandbox/account")[1]["subscribed"] is True


def test_a_number_is_registered_with_its_pin(meta: Sandbox) -> None:
    meta.post("/_sandbox/account", {"numbers": {NUMBER: {"registered": False}}})
    call_command("connect", register_pin="123456")
    assert meta.request("GET", "/_sandbox/account")[1]["numbers"][NUMBER]["registered"] is True


def test_webhooks_that_go_elsewhere_are_not_taken_unasked(connected: Sandbox, settings: Any, live_server: Any) -> None:
    settings.BASE_URL = live_server.url.replace("localhost", "127.0.0.1") + "/other"
    with pytest.raises(CommandError, match="--take-webhook"):
        call_command("connect")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"WA_ACCESS_TOKEN": "mistyped"}, "Correct this first"),
        ({"WA_APP_SECRET": "0" * 32}, "Correct this first"),
        ({"BASE_URL": ""}, "BASE_URL"),
        ({"BASE_URL": "http://127.0.0.1:9"}, "handshake"),
        ({"WA_PHONE_NUMBER_ID": "999"}, "Not connected yet"),
    ],
)
def test_it_stops_at_what_is_wrong(changed: dict[str, str], said: str, meta: Sandbox, settings: Any) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=said):
        call_command("connect")


def test_a_wrong_token_changes_nothing_at_meta(meta: Sandbox, settings: Any) -> None:
    before = meta.request("GET", "/_sandbox/account")
    settings.WA_ACCESS_TOKEN = "mistyped"
    with pytest.raises(CommandError):
        call_command("connect")
    assert meta.request("GET", "/_sandbox/account") == before
    assert meta.request("GET", f"/v25.0/{APP}/subscriptions", token=f"{APP}|{settings.WA_APP_SECRET}")[1]["data"] == []


@pytest.mark.parametrize(
    "option",
    [
        "--test-to=",
        "--register-pin=",
        "--register-pin=12345",
        "--register-pin=12345\u0666",
        "--register-pin=abcdef",
    ],
)
def test_a_value_that_a_shell_left_empty_is_refused_before_anything_is_done(option: str, meta: Sandbox) -> None:
    with pytest.raises(CommandError, match=r"it is empty|six digits"):
        call_command("connect", option)
    assert not Account.objects.exists()


def test_a_refusal_ends_with_one_full_stop(meta: Sandbox) -> None:
    meta.post("/_sandbox/account", {"numbers": {NUMBER: {"registered": True, "pin": "123456"}}})
    with pytest.raises(CommandError, match=r"^Meta refuses: [^.]*\. Nothing after this step was done\.$"):
        call_command("connect", register_pin="654321")


def test_another_word_of_the_handshake_is_named_as_a_cause(meta: Sandbox, settings: Any) -> None:
    settings.BASE_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="WA_WEBHOOK_VERIFY_TOKEN"):
        call_command("connect")


def test_an_account_whose_token_is_not_set_is_named(meta: Sandbox) -> None:
    Account.objects.create(waba_id=WABA, token_name="WA_ACCESS_TOKEN_UNSET")
    with pytest.raises(CommandError, match="WA_ACCESS_TOKEN_UNSET is not set"):
        call_command("connect")
