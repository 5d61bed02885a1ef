"""Every page works under its Content-Security-Policy, which runs no inline script; in a real browser."""

import subprocess

import pytest
from django.test import Client

from messaging.incoming.store import receive
from messaging.models import Conversation
from testkit.processes import CHECKOUT
from tests.messaging.bodies import inbound_text, webhook
from tests.pages import SWAGGER_IS_DRAWN, OpenPage, needs_chromium, wait_until
from waproject.web.response_headers import ADMIN, STRICT, STYLED

THEMED = {
    "index": "/admin/",
    "messages": "/admin/messaging/message/",
    "new hold": "/admin/messaging/hold/add/",
    "new account": "/admin/auth/user/add/",
    "chats": "/admin/messaging/conversation/",
    "chat": "/admin/messaging/conversation/{conversation}/change/",
    "dead letters": "/admin/monitoring/redrivejob/lane/incoming/",
}
POLICIES = {
    **dict.fromkeys(THEMED.values(), ADMIN),
    "/admin/login/": ADMIN,
    "/api/docs/": STYLED,
    "/messaging/messages": STYLED,
    "/monitoring/dashboard": STRICT,
    "/admin/nothing-is-here/": STRICT,
    "/nothing-is-here": STRICT,
}
# An inline script, an inline handler, a script of another host, and text that is run.
INJECT = """() => {
  const script = document.createElement("script");
  script.textContent = "window.injected = 'script'";
  document.body.append(script);
  const other = document.createElement("script");
  other.src = "http://localhost:1/x.js";
  document.body.append(other);
  const part = document.createElement("div");
  part.innerHTML = `<img src="data:," onerror="window.injected = 'handler'">` +
    `<a href="javascript:window.injected='link'">x</a>`;
  document.body.append(part);
  part.querySelector("a").click();
}"""
EVALUATE = "() => { setTimeout(\"window.injected = 'text'\") }"
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@pytest.fixture
def paths() -> dict[str, str]:
    """Each page's address, and its policy."""
    receive(webhook(inbound_text(sender="15551230001", text="Is my order on its way?"), name="Ann"))
    conversation = Conversation.objects.get().pk
    return {path.format(conversation=conversation): policy for path, policy in POLICIES.items()}


@pytest.mark.django_db
@pytest.mark.usefixtures("sqs")
def test_each_page_has_the_strictest_policy_under_which_it_works(paths: dict[str, str], admin_client: Client) -> None:
    found = {path: admin_client.get(path, headers={"Accept": "text/html"}) for path in paths}
    assert {path: answer.headers["Content-Security-Policy"] for path, answer in found.items()} == paths


@needs_chromium
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqs")
def test_no_page_violates_its_policy(open_page: OpenPage, paths: dict[str, str]) -> None:
    page = open_page("/admin/")
    page.add_init_script(VIOLATIONS)
    found = {}
    for path in paths:
        page.goto(path)
        if path == "/api/docs/":
            wait_until(page, SWAGGER_IS_DRAWN)
        found[path] = page.evaluate("window.violations")
    assert found == {path: [] for path in paths}


@needs_chromium
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqs")
def test_what_is_injected_into_a_page_does_not_run(open_page: OpenPage, paths: dict[str, str]) -> None:
    page = open_page("/admin/")
    page.add_init_script(VIOLATIONS)
    for path, policy in paths.items():
        page.goto(path)
        page.evaluate(INJECT)
        if policy != ADMIN:
            page.evaluate(EVALUATE)
        blocked = 4 if policy == ADMIN else 5
        wait_until(page, "blocked => window.violations.length >= blocked", blocked)
        assert page.evaluate("window.injected") is None, path
    # What was injected, and refused.
    assert set(page.foreign) <= {"http://localhost:1/x.js"}
    page.errors, page.foreign = [], []


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param("." + "wait_for_function(", id="a text that the policy refuses"),
        pytest.param('"' + 'networkidle"', id="a silence that never comes on a busy machine"),
    ],
)
def test_no_test_waits_for(refused: str) -> None:
    listed = subprocess.run(["git", "ls-files", "tests/*.py"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    paths = [CHECKOUT / line for line in listed.stdout.splitlines()]
    assert [path for path in paths if path.exists() and refused in path.read_text()] == []


@needs_chromium
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqs")
def test_a_test_can_wait_for_what_is_not_true_at_once(open_page: OpenPage) -> None:
    page = open_page("/monitoring/dashboard")
    page.evaluate("() => { setTimeout(() => { window.later = 1 }, 300) }")
    wait_until(page, "window.later === 1")
