"""Webhook subscriptions of the account and the app, and the registration of numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.http import Handler, serving
from tests.waiting import eventually

from ..process import NUMBER, Sandbox, text_message
from ..receiver import Receiver
from .calls import APP, APP_TOKEN, WABA, call, get, refusal

VERIFY_TOKEN = "our verify token"
FIELDS = "messages,message_template_status_update"


class Callback(Handler):
    """Answers the handshake as a webhook endpoint does; `/echo-nothing` answers another body."""

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        is_right = asked.get("hub.verify_token") == VERIFY_TOKEN and asked.get("hub.mode") == "subscribe"
        body = b"hello" if self.path.startswith("/echo-nothing") else asked.get("hub.challenge", "").encode()
        self.answer(200 if is_right else 403, body)


@pytest.fixture(scope="module")
def callback_url() -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Callback)) as url:
        yield f"{url}/webhook"


def subscribe(
    sandbox: Sandbox, url: str, changes: Mapping[str, object] | None = None, token: str = APP_TOKEN
) -> tuple[int, Any]:
    given = {"object": "whatsapp_business_account", "callback_url": url, "verify_token": VERIFY_TOKEN, "fields": FIELDS}
    return call(sandbox, "POST", f"{APP}/subscriptions", {**given, **(changes or {})}, token)


def test_a_callback_that_answers_the_handshake_is_subscribed(sandbox: Sandbox, callback_url: str) -> None:
    assert subscribe(sandbox, callback_url) == (200, {"success": True})
    [found] = call(sandbox, "GET", f"{APP}/subscriptions", token=APP_TOKEN)[1]["data"]
    assert (found["object"], found["callback_url"]) == ("whatsapp_business_account", callback_url)
    assert [field["name"] for field in found["fields"]] == ["messages", "message_template_status_update"]


def test_a_subscription_may_be_a_form_in_the_query(sandbox: Sandbox, callback_url: str) -> None:
    asked = {"object": "whatsapp_business_account", "callback_url": callback_url, "verify_token": VERIFY_TOKEN}
    answer = call(sandbox, "POST", f"{APP}/subscriptions", b"", APP_TOKEN, fields=FIELDS, **asked)
    assert answer == (200, {"success": True})


def test_a_subscription_is_removed(sandbox: Sandbox, callback_url: str) -> None:
    subscribe(sandbox, callback_url)
    call(sandbox, "DELETE", f"{APP}/subscriptions", token=APP_TOKEN)
    assert call(sandbox, "GET", f"{APP}/subscriptions", token=APP_TOKEN)[1] == {"data": []}


def test_a_reset_keeps_the_apps_subscription(sandbox: Sandbox, callback_url: str) -> None:
    subscribe(sandbox, callback_url)
    sandbox.post("/_sandbox/reset")
    [found] = call(sandbox, "GET", f"{APP}/subscriptions", token=APP_TOKEN)[1]["data"]
    assert found["callback_url"] == callback_url


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verify_token": "another"}, "HTTP Status Code = 403"),
        ({"callback_url": "http://127.0.0.1:9/webhook"}, "couldn't be reached"),
        ({"callback_url": "http://[127.0.0.1/webhook"}, "couldn't be reached"),
        ({"callback_url": "http://127.0.0.1:99999/webhook"}, "couldn't be reached"),
        ({"callback_url": "http://a..b/webhook"}, "couldn't be reached"),
    ],
)
def test_a_callback_that_fails_the_handshake_is_refused(
    sandbox: Sandbox, callback_url: str, changes: dict[str, object], words: str
) -> None:
    answer = subscribe(sandbox, callback_url, changes)
    assert refusal(answer) == (400, 2200, None)
    assert words in answer[1]["error"]["message"]


def test_a_callback_that_answers_something_else_is_refused(sandbox: Sandbox, callback_url: str) -> None:
    answer = subscribe(sandbox, callback_url.replace("/webhook", "/echo-nothing"))
    assert "does not match challenge" in answer[1]["error"]["message"]


@pytest.mark.parametrize(
    "changes", [{"object": "page"}, {"callback_url": "127.0.0.1"}, {"callback_url": None}, {"verify_token": None}]
)
def test_an_incomplete_subscription_is_refused(sandbox: Sandbox, callback_url: str, changes: dict[str, object]) -> None:
    assert refusal(subscribe(sandbox, callback_url, changes)) == (400, 100, None)


def test_subscriptions_need_the_apps_own_token(sandbox: Sandbox, callback_url: str) -> None:
    assert refusal(subscribe(sandbox, callback_url, token="test-token")) == (400, 15, None)


def test_without_a_subscription_of_the_account_no_webhook_comes(sandbox: Sandbox, receiver: Receiver) -> None:
    assert call(sandbox, "DELETE", f"{WABA}/subscribed_apps") == (200, {"success": True})
    assert get(sandbox, f"{WABA}/subscribed_apps") == {"data": []}
    sandbox.send()
    answer = sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    # All three statuses are due within 50 ms.
    assert eventually(lambda: len(sandbox.ledger()["messages"][0]["statuses"]) == 3)
    assert (answer["delivered"], receiver.hooks) == (False, [])


def test_with_a_subscription_webhooks_come_again(sandbox: Sandbox, receiver: Receiver) -> None:
    call(sandbox, "DELETE", f"{WABA}/subscribed_apps")
    call(sandbox, "POST", f"{WABA}/subscribed_apps")
    [app] = get(sandbox, f"{WABA}/subscribed_apps")["data"]
    assert app["whatsapp_business_api_data"]["id"] == APP
    assert sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})["delivered"]


def test_a_webhook_of_any_field_is_sent(sandbox: Sandbox, receiver: Receiver) -> None:
    value = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}
    assert sandbox.post("/_sandbox/webhook", {"field": "account_update", "value": value})["delivered"]
    [entry] = json.loads(receiver.hooks[0].body)["entry"]
    assert (entry["id"], entry["changes"]) == (WABA, [{"field": "account_update", "value": value}])
    assert isinstance(entry["time"], int)


@pytest.mark.parametrize(("given", "field"), [({"value": {}}, "field"), ({"field": "a", "value": 1}, "value")])
def test_a_bad_webhook_names_the_field(sandbox: Sandbox, given: dict[str, object], field: str) -> None:
    status, answer = sandbox.request("POST", "/_sandbox/webhook", given)
    assert (status, answer["field"]) == (400, field)


def register(sandbox: Sandbox, **changes: object) -> tuple[int, Any]:
    return call(sandbox, "POST", f"{NUMBER}/register", {"messaging_product": "whatsapp", "pin": "123456", **changes})


def test_a_number_sends_after_its_registration_only(sandbox: Sandbox) -> None:
    assert call(sandbox, "POST", f"{NUMBER}/deregister") == (200, {"success": True})
    assert refusal(call(sandbox, "POST", f"{NUMBER}/messages", text_message())) == (400, 133010, None)
    assert get(sandbox, NUMBER, fields="status")["status"] == "DISCONNECTED"
    assert register(sandbox) == (200, {"success": True})
    assert call(sandbox, "POST", f"{NUMBER}/messages", text_message())[0] == 200


def test_a_number_keeps_the_pin_of_its_first_registration(sandbox: Sandbox) -> None:
    register(sandbox)
    assert refusal(register(sandbox, pin="654321")) == (400, 133005, None)
    assert register(sandbox) == (200, {"success": True})


@pytest.mark.parametrize(
    "changes", [{"pin": "12345"}, {"pin": "1234567"}, {"pin": "12345a"}, {"messaging_product": "x"}]
)
def test_a_bad_registration_is_refused(sandbox: Sandbox, changes: dict[str, object]) -> None:
    assert refusal(register(sandbox, **changes)) == (400, 100, None)
