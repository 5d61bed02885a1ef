"""The phone page in a browser: a conversation held with thumbs, and nobody kept from it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pages import LOOKS, faults_in, name_of, needs_chromium, new_page, picture, wait_until

from ..process import NUMBER, Sandbox
from ..receiver import Hook, Receiver

pytestmark = needs_chromium
ANN = "15551230001"
CARLA = "US.13491208655302741918"
EVIL = "<img src=x onerror=alert(1)> *bold* javascript:alert(1)"
BUTTONS = {
    "type": "button",
    "body": {"text": "Is ten o'clock all right?"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "no", "title": "Another time"}},
        ]
    },
}
LIST = {
    "type": "list",
    "body": {"text": "When?"},
    "action": {"button": "Times", "sections": [{"rows": [{"id": "m10", "title": "10:00", "description": "Window"}]}]},
}
FLOW = {
    "type": "flow",
    "body": {"text": "A form"},
    "action": {
        "name": "flow",
        "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Begin", "flow_token": "token-1"},
    },
}
TEMPLATE = {
    "name": "order_ready",
    "language": {"code": "en_US"},
    "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "4711"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "Thanks"}],
        },
    ],
}


@pytest.fixture
def page(browser: Any, sandbox: Sandbox) -> Iterator[Any]:
    opened = open_page(browser, sandbox)
    yield opened
    assert (opened.errors, opened.foreign) == ([], [])
    opened.context.close()


def open_page(browser: Any, sandbox: Sandbox, address: str = "", **options: Any) -> Any:
    """The page; `errors` has what the policy refused, too."""
    page = new_page(browser, f"http://127.0.0.1:{sandbox.port}", **options)
    page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
    page.goto(f"/_sandbox/#{address}")
    return page


def meet(page: Any, name: str = "Ann", number: str = ANN, *, hides: bool = False) -> None:
    page.click("#new-person")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Phone number", exact=True).fill(number)
    page.get_by_label("Shows no phone number").set_checked(hides)
    page.get_by_role("button", name="Make").click()
    wait_until(page, "name => document.getElementById('name').textContent === name", name)


def business_sends(sandbox: Sandbox, message_type: str, node: object, to: str = ANN) -> str:
    key = "recipient" if to.startswith("US.") else "to"
    body = {"messaging_product": "whatsapp", key: to, "type": message_type, message_type: node}
    wamid: str = sandbox.post(f"/v25.0/{NUMBER}/messages", body)["messages"][0]["id"]
    return wamid


def message_of(hook: Hook) -> dict[str, Any]:
    """The first message in a webhook, or an empty one."""
    found: dict[str, Any] = hook.value.get("messages", [{}])[0]
    return found


def heard(receiver: Receiver, message_type: str) -> dict[str, Any]:
    """What the business heard from the user."""
    return message_of(receiver.wait_for(1, lambda hook: message_of(hook).get("type") == message_type)[-1])


def test_a_conversation_is_held(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    meet(page)
    page.fill("#text", "Can I book a table?")
    page.keyboard.press("Enter")
    question = heard(receiver, "text")
    assert (question["from"], question["text"]) == (ANN, {"body": "Can I book a table?"})
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": question["id"]}
    sandbox.post(f"/v25.0/{NUMBER}/messages", receipt | {"typing_indicator": {"type": "text"}})
    page.wait_for_selector(".mine .ticks.is-read")
    page.wait_for_selector("#typing:not([hidden])")
    wamid = business_sends(sandbox, "interactive", BUTTONS)
    page.wait_for_selector(".theirs .ticks.is-read")
    page.get_by_role("button", name="Yes").click()
    reply = heard(receiver, "interactive")
    assert reply["interactive"] == {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}
    assert reply["context"]["id"] == wamid
    page.wait_for_selector(".choice.chosen >> text=Yes")


def test_a_row_of_a_list_is_tapped(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    meet(page)
    business_sends(sandbox, "interactive", LIST)
    page.get_by_role("button", name="Times").click()
    page.get_by_role("button", name="10:00 Window").click()
    row = {"id": "m10", "title": "10:00", "description": "Window"}
    assert heard(receiver, "interactive")["interactive"] == {"type": "list_reply", "list_reply": row}


def test_a_form_is_sent(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    meet(page)
    business_sends(sandbox, "interactive", FLOW)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    reply = heard(receiver, "interactive")["interactive"]["nfm_reply"]
    assert (reply["name"], "token-1" in reply["response_json"]) == ("flow", True)


def test_a_template_shows_what_was_filled_in_and_its_quick_reply_is_tapped(
    page: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    meet(page)
    business_sends(sandbox, "template", TEMPLATE)
    page.wait_for_selector("text=4711")
    page.get_by_role("button", name="Thanks").click()
    assert heard(receiver, "button")["button"] == {"payload": "Thanks", "text": "Thanks"}


def test_a_place_is_sent_in_reply(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    meet(page)
    wamid = business_sends(sandbox, "text", {"body": "Where are you?"})
    page.get_by_role("button", name="Reply").click()
    page.click("#attach")
    page.get_by_role("menuitem", name="Location").click()
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    place = heard(receiver, "location")
    assert (place["location"]["latitude"], place["context"]["id"]) == (52.52, wamid)


def test_a_reaction_is_put_on_and_taken_away(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    meet(page)
    wamid = business_sends(sandbox, "text", {"body": "Nice?"})
    for expected in ("👍", ""):
        page.get_by_role("button", name="React").click()
        page.get_by_role("button", name="👍", exact=True).click()
        receiver.wait_for(
            1,
            lambda hook, emoji=expected: (  # type: ignore[misc]
                message_of(hook).get("reaction") == {"message_id": wamid, "emoji": emoji}
            ),
        )
        page.wait_for_selector(".reactions", state="attached" if expected else "detached")


def test_a_ready_made_photo_is_sent_and_shown(page: Any, receiver: Receiver) -> None:
    meet(page)
    page.click("#attach")
    page.get_by_role("menuitem", name="A ready-made photo").click()
    assert heard(receiver, "image")["image"]["caption"] == "Sunset"
    wait_until(page, "() => document.querySelector('img.image')?.naturalWidth > 0")


def test_who_shows_no_number_writes_by_user_id_alone(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    meet(page, "Carla", "", hides=True)
    page.fill("#text", "Hello")
    page.keyboard.press("Enter")
    message = heard(receiver, "text")
    assert "from" not in message
    business_sends(sandbox, "text", {"body": "Hello Carla"}, to=message["from_user_id"])
    page.wait_for_selector("text=Hello Carla")


def test_switches_say_what_they_do(page: Any, sandbox: Sandbox) -> None:
    meet(page)
    page.get_by_role("switch", name="Phone on").click()
    business_sends(sandbox, "text", {"body": "Are you there?"})
    page.wait_for_selector("text=1 message waits for it.")
    page.wait_for_selector("#text:disabled")
    page.get_by_role("switch", name="Phone on").click()
    page.wait_for_selector(".theirs >> text=Are you there?")


def test_what_is_written_is_only_ever_text(page: Any, sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/inbound", {"from": ANN, "name": EVIL, "text": EVIL})
    business_sends(sandbox, "interactive", BUTTONS | {"body": {"text": EVIL}, "footer": {"text": "<b>x</b>"}})
    page.locator(".person .last", has_text="img").wait_for()
    page.locator(".person").click()
    wait_until(page, "document.querySelectorAll('.bubble strong').length === 2")
    assert page.locator(".bubble strong", has_text="bold").count() == 2
    assert page.locator(".bubble img, .bubble b, .bubble a, .person img").count() == 0


def test_keys_alone_are_enough(page: Any, sandbox: Sandbox, receiver: Receiver) -> None:
    business_sends(sandbox, "interactive", BUTTONS)
    page.wait_for_selector(".person")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".theirs")
    page.locator(".choice").first.focus()
    page.keyboard.press("Enter")
    assert heard(receiver, "interactive")["interactive"]["button_reply"]["id"] == "yes"
    page.wait_for_selector(".choice.chosen")
    wait_until(page, "document.activeElement.textContent === 'Yes'")


def test_the_request_for_a_template_is_filled_in_as_one_types(page: Any, sandbox: Sandbox) -> None:
    meet(page)
    page.get_by_role("button", name="Template…").click()
    page.get_by_label("Template", exact=True).select_option(label="order_ready (en_US)")
    assert page.get_by_role("button", name="Copy").is_disabled()
    page.get_by_label("Body {{1}}").fill("Ann's")
    assert "Your order Ann's is ready" in page.get_by_label("Preview").inner_text()
    assert request_of(page) == {
        "phone_number": f"+{ANN}",
        "message_type": "template",
        "message_data": {
            "name": "order_ready",
            "language": "en_US",
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ann's"}]}],
        },
    }


def request_of(page: Any) -> Any:
    """The body of the request that the picker shows."""
    words = shlex.split(page.get_by_label("Request").inner_text().replace("\\\n", " "))
    return json.loads(words[words.index("-d") + 1])


def choose(page: Any, label: str) -> None:
    """Open the picker and choose this template."""
    meet(page)
    page.get_by_role("button", name="Template…").click()
    page.get_by_label("Template", exact=True).select_option(label=label)


def test_named_parameters_are_sent_by_their_names(page: Any) -> None:
    choose(page, "order_update (en_US)")
    page.get_by_label("Body {{order}}").fill("4711")
    page.get_by_label("Body {{state}}").fill("packed")
    assert "Your order 4711 is now packed." in page.get_by_label("Preview").inner_text()
    assert request_of(page)["message_data"]["components"] == [
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "order", "text": "4711"},
                {"type": "text", "parameter_name": "state", "text": "packed"},
            ],
        }
    ]


def test_copy_puts_the_request_on_the_clipboard(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(page, "hello_world (en_US)")
    page.get_by_role("button", name="Copy").click()
    page.wait_for_selector("dialog >> text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.get_by_label("Request").inner_text()
    assert page.locator("dialog").is_visible()


def test_the_request_is_selected_where_the_browser_refuses_the_clipboard(page: Any) -> None:
    choose(page, "hello_world (en_US)")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    page.get_by_role("button", name="Copy").click()
    page.wait_for_selector("dialog >> text=Selected: copy it by hand")
    assert page.evaluate("getSelection().toString()").strip() == page.get_by_label("Request").inner_text().strip()


def test_a_search_finds_templates_beyond_those_that_the_picker_lists(page: Any, sandbox: Sandbox) -> None:
    for number in range(200):
        sandbox.post("/_sandbox/templates", {"name": f"wave_{number}", "components": [{"type": "BODY", "text": "Hi"}]})
    sandbox.post("/_sandbox/templates", {"name": "zebra", "components": [{"type": "BODY", "text": "Hi {{1}}"}]})
    choose(page, "hello_world (en_US)")
    options = page.get_by_label("Template", exact=True).locator("option")
    assert ("zebra (en_US)" in options.all_inner_texts(), page.get_by_text("The first 200 of 213").is_visible()) == (
        False,
        True,
    )
    page.get_by_label("Search").fill("zebra")
    options.get_by_text("zebra (en_US)").wait_for(state="attached")
    page.get_by_label("Search").press("Enter")
    page.get_by_label("Body {{1}}").fill("Ann")
    assert (options.count(), request_of(page)["message_data"]["name"]) == (1, "zebra")
    page.get_by_label("Search").fill("nothing")
    page.wait_for_selector("dialog >> text=no approved template of this name")
    assert page.get_by_role("button", name="Copy").is_disabled()


def test_each_template_of_the_picker_makes_a_send_that_meta_takes(page: Any, sandbox: Sandbox) -> None:
    meet(page)
    page.get_by_role("button", name="Template…").click()
    choice = page.get_by_label("Template", exact=True)
    refused = []
    for n, label in enumerate(choice.locator("option").all_inner_texts()):
        choice.select_option(label=label)
        for field in page.locator("dialog .rows input").all():
            link = "Link" in page.locator(f"label[for={field.get_attribute('id')}]").inner_text()
            field.fill("https://example.com/a.png" if link else "4711")
        node = request_of(page)["message_data"]
        # Each to another person: one alone has the limit of a pair, which a fast machine reaches.
        body = {"messaging_product": "whatsapp", "to": f"1555124{n:04}", "type": "template"}
        node["language"] = {"code": node["language"]}
        status, answer = sandbox.request("POST", f"/v25.0/{NUMBER}/messages", {**body, "template": node})
        if status != 200:
            refused.append((label, answer))
    assert refused == []


@pytest.mark.parametrize("look", LOOKS, ids=name_of)
def test_the_template_picker_fits_and_is_accessible(browser: Any, sandbox: Sandbox, look: Any) -> None:
    sandbox.post("/_sandbox/inbound", {"from": ANN, "name": "Ann", "text": "Hi!"})
    page = open_page(browser, sandbox, ANN, **look)
    page.get_by_role("button", name="Template…").click()
    page.get_by_label("Template", exact=True).select_option(label="new_arrivals (en_US)")
    assert page.evaluate("document.documentElement.scrollWidth") == look["viewport"]["width"]
    assert page.evaluate("(d => d.scrollWidth <= d.clientWidth)(document.getElementById('dialog'))")
    assert (faults_in(look, page), page.errors, page.foreign) == ([], [], [])
    picture(page, f"phone-template-{name_of(look)}")
    page.context.close()


@pytest.mark.parametrize("look", LOOKS, ids=name_of)
def test_it_fits_and_is_accessible(browser: Any, sandbox: Sandbox, look: Any) -> None:
    sandbox.post("/_sandbox/inbound", {"from": ANN, "name": "Ann", "text": "Hi!\n" + "long" * 40})
    sandbox.post("/_sandbox/inbound", {"user_id": CARLA, "name": "Carla", "text": "Hi!"})
    for message_type, node in (("interactive", BUTTONS), ("interactive", LIST), ("template", TEMPLATE)):
        business_sends(sandbox, message_type, node)
    page = open_page(browser, sandbox, ANN, **look)
    page.wait_for_selector("text=4711")
    assert page.evaluate("document.documentElement.scrollWidth") == look["viewport"]["width"]
    page.click("#attach")
    assert (faults_in(look, page), page.errors, page.foreign) == ([], [], [])
    picture(page, f"phone-{name_of(look)}")
    page.context.close()
