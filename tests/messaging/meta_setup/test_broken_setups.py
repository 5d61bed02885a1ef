"""Each broken set-up is named by its very cause, with the next step."""

import time
from collections.abc import Callable
from http.server import HTTPServer
from typing import Any

import pytest

from messaging.meta_setup import Finding, State, check_setup
from messaging.meta_setup.checks import WANTED_FIELDS
from messaging.meta_setup.run_checks import app_api
from testkit.ports import free_port
from tests.messaging.sandbox.graph_api.calls import APP
from tests.messaging.sandbox.process import NUMBER, OTHER_NUMBER, Sandbox
from tests.servers.http import Handler, serving

pytestmark = pytest.mark.django_db(transaction=True)

Break = Callable[[Sandbox, Any], object]


def account(**facts: Any) -> Break:
    """Change what Meta says: account, token, numbers, subscribed."""
    return lambda meta, _: meta.post("/_sandbox/account", facts)


def number(**facts: Any) -> Break:
    """Change what Meta says of the number."""
    return account(numbers={NUMBER: facts})


def setting(name: str, value: Callable[[], Any] | Any) -> Break:
    """Change one of our settings."""
    return lambda _, settings: setattr(settings, name, value() if callable(value) else value)


def subscription(url: str, *fields: str) -> Break:
    """Change the app's webhook subscription; an empty url takes our own."""

    def change(meta: Sandbox, settings: Any) -> None:
        app = app_api(APP)
        own = f"{settings.BASE_URL}/webhook/whatsapp"
        app.subscribe(APP, (url and f"{own}?{url}") or own, settings.WA_WEBHOOK_VERIFY_TOKEN, fields)
        app.close()

    return change


def no_subscription(meta: Sandbox, settings: Any) -> None:
    """The app has no webhook."""
    meta.request("DELETE", f"/v25.0/{APP}/subscriptions", token=f"{APP}|{settings.WA_APP_SECRET}")


F, W = State.FAILED, State.WARNING
BROKEN: dict[str, tuple[Break, str, State, str]] = {
    "token mistyped": (setting("WA_ACCESS_TOKEN", "mistyped"), "token", F, "token"),
    "token revoked": (account(token={"is_valid": False}), "token", F, "WA_ACCESS_TOKEN"),
    "token expired": (account(token={"expires_at": int(time.time()) - 60}), "token", F, "expire"),
    "token ends soon": (account(token={"expires_at": int(time.time()) + 86400}), "token", W, "expires at"),
    "no right to send": (
        account(token={"scopes": ["whatsapp_business_management"]}), "scopes", F, "whatsapp_business_messaging",
    ),
    "no right to manage": (
        account(token={"scopes": ["whatsapp_business_messaging"]}), "scopes", F, "whatsapp_business_management",
    ),
    "wrong app secret": (setting("WA_APP_SECRET", "0" * 32), "app secret", F, "App settings, Basic"),
    "Meta out of reach": (setting("WA_GRAPH_URL", lambda: f"http://127.0.0.1:{free_port()}"), "token", F, "not answer"),
    "account rejected": (account(account={"account_review_status": "REJECTED"}), "account", F, "REJECTED"),
    "account under review": (account(account={"account_review_status": "PENDING"}), "account", W, "reviews"),
    "account disabled": (account(account={"ban_state": "DISABLE"}), "health", F, "BLOCKED"),
    "number not registered": (number(status="PENDING"), "number", F, "--register-pin"),
    "number disconnected": (number(status="DISCONNECTED"), "number", F, "not registered"),
    "number banned": (number(status="BANNED"), "number", F, "BANNED"),
    "quality red": (number(quality_rating="RED"), "quality", W, "RED"),
    "foreign number": (setting("WA_PHONE_NUMBER_ID", "999999999999999"), "sender", F, OTHER_NUMBER),
    "app not subscribed": (account(subscribed=False), "subscribed app", F, "connect"),
    "no webhook": (no_subscription, "webhook", F, "no active webhook"),
    "webhook elsewhere": (subscription("elsewhere=1", *WANTED_FIELDS), "webhook", F, "elsewhere"),
    "field messages missing": (subscription("", "account_update"), "webhook", F, "messages"),
    "field history missing": (
        subscription("", *(name for name in WANTED_FIELDS if name != "history")), "webhook", W, "history",
    ),
    "callback out of reach": (
        setting("BASE_URL", lambda: f"http://127.0.0.1:{free_port()}"), "callback", F, "does not answer",
    ),
    "no address": (setting("BASE_URL", ""), "webhook", F, "BASE_URL"),
}  # fmt: skip


def found(check: str) -> list[Finding]:
    """The findings of one check that are not fine."""
    return [finding for finding in check_setup() if finding.check == check and finding.state is not State.OK]


@pytest.mark.parametrize("name", BROKEN)
def test_the_cause_is_named(name: str, connected: Sandbox, settings: Any) -> None:
    damage, check, state, word = BROKEN[name]
    damage(connected, settings)
    (finding,) = found(check)[:1]
    assert (finding.state, word in f"{finding.text} {finding.next_step}") == (state, True), finding


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (403, "refuses the verify token"),
        (404, "answers the handshake with 404"),
        (200, "answers the handshake with 200"),
    ],
)
def test_what_answers_in_our_place_is_named(status: int, word: str, connected: Sandbox, settings: Any) -> None:
    class Other(Handler):
        def do_GET(self) -> None:
            self.answer(status)

    with serving(HTTPServer(("127.0.0.1", 0), Other)) as settings.BASE_URL:
        (finding,) = found("callback")
    assert word in finding.text


def test_a_connected_installation_has_no_finding(connected: Sandbox) -> None:
    assert [finding for finding in check_setup() if finding.state is not State.OK] == []


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_has_its_next_step(name: str, connected: Sandbox, settings: Any) -> None:
    BROKEN[name][0](connected, settings)
    assert [finding for finding in check_setup() if finding.state is not State.OK and not finding.next_step] == []


@pytest.mark.parametrize("name", BROKEN)
def test_no_finding_tells_a_secret(name: str, connected: Sandbox, settings: Any) -> None:
    BROKEN[name][0](connected, settings)
    texts = " ".join(f"{finding.text} {finding.next_step}" for finding in check_setup())
    secrets = (settings.WA_ACCESS_TOKEN, settings.WA_APP_SECRET, settings.WA_WEBHOOK_VERIFY_TOKEN)
    assert [secret for secret in secrets if secret in texts] == []
