"""Templates: which there are, whether they may be sent, and what Meta refuses of their parameters."""

from __future__ import annotations

from typing import Any

import pytest

from ..process import NUMBER, Sandbox
from ..receiver import Receiver

PATH = f"/v25.0/{NUMBER}/messages"
JSON = dict[str, Any]
LINK = "https://example.com/a"


def send(sandbox: Sandbox, name: object, *components: object, **more: object) -> tuple[int, int]:
    """The HTTP status, and Meta's code of a refusal, else 0."""
    node = {"name": name, "language": {"code": "en_US"}, "components": list(components), **more}
    body = {"messaging_product": "whatsapp", "to": "15551230001", "type": "template", "template": node}
    status, answer = sandbox.request("POST", PATH, body)
    return status, 0 if status == 200 else answer["error"]["code"]


def body(*texts: object, **more: object) -> JSON:
    return {"type": "body", "parameters": [{"type": "text", "text": text, **more} for text in texts]}


def button(sub_type: str, index: object, **parameter: object) -> JSON:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}


def header(kind: str, content: object) -> JSON:
    return {"type": "header", "parameters": [{"type": kind, kind: content}]}


IMAGE = header("image", {"link": LINK})
COUPON = button("copy_code", "0", type="coupon_code", coupon_code="SPRING25")
OTP = button("url", "0", type="text", text="123456")
TRACK = button("url", "0", type="text", text="4711")
OFFER: JSON = {"type": "limited_time_offer", "parameters": [
    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1_798_761_600_000}}]}  # fmt: skip
CARD: JSON = {"components": [IMAGE, body("Shoes"), TRACK]}


@pytest.mark.parametrize(
    ("name", "components"),
    [
        ("hello_world", []),
        ("order_ready", [body("4711")]),
        ("order_ready", [body("4711"), button("quick_reply", "0", type="payload", payload="thanks")]),
        ("order_ready", [{"type": "BODY", "parameters": [{"type": "text", "text": "4711"}]}]),
        ("offer", [IMAGE, body("Ann"), COUPON]),
        ("bill", [header("document", {"link": LINK, "filename": "a.pdf"}), body("12 €"), TRACK]),
        ("one_time_code", [body("123456"), OTP]),
        ("new_arrivals", [{"type": "carousel", "cards": [{"card_index": n, **CARD} for n in range(2)]}]),
        ("order_update", [{"type": "body", "parameters": [
            {"type": "text", "parameter_name": "state", "text": "packed"},
            {"type": "text", "parameter_name": "order", "text": "4711"}]}]),
        ("new_arrivals", [{"type": "carousel", "cards": [{"card_index": n, **CARD} for n in (1, 0)]}]),
        ("bill", [header("document", {"link": LINK}), {"type": "body", "parameters": [{"type": "currency", "currency": {
            "fallback_value": "12 €", "code": "EUR", "amount_1000": 12000}}]}, TRACK]),
    ],
    ids=str,
)  # fmt: skip
def test_what_fits_its_template_is_accepted(sandbox: Sandbox, name: str, components: list[JSON]) -> None:
    assert send(sandbox, name, *components) == (200, 0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4711", 0),
        ("four    blanks", 0),
        ("five     blanks", 132018),
        ("new\nline", 132018),
        ("carriage\rreturn", 132018),
        ("tab\tstop", 132018),
        ("line\u2028separator", 132018),
        ("", 131008),
        ("   ", 131008),
        (None, 131008),
        (4711, 100),
        ("x" * 1024, 132005),
    ],
)
def test_the_text_of_a_parameter(sandbox: Sandbox, text: object, code: int) -> None:
    assert send(sandbox, "order_ready", body(text))[1] == code


@pytest.mark.parametrize(
    ("name", "components", "code"),
    [
        ("hello_world", [body("too many")], 132000),
        ("order_ready", [], 132000),
        ("order_ready", [body("4711", "4712")], 132000),
        ("order_ready", [IMAGE, body("4711")], 132012),
        ("order_ready", [{"type": "body", "parameters": [{"type": "image", "image": {"link": LINK}}]}], 100),
        ("order_ready", [body("4711"), button("quick_reply", "1", type="payload", payload="x")], 132018),
        ("order_ready", [body("4711"), button("url", "0", type="text", text="x")], 132012),
        ("order_ready", [body("4711"), body("4711")], 131009),
        ("offer", [IMAGE, body("Ann"), COUPON, button("quick_reply", 0, type="payload", payload="x")], 131009),
        ("order_ready", {"type": "body"}, 100),
        ("order_ready", ["body"], 100),
        ("order_ready", [{"type": "title"}], 100),
        ("order_ready", [{"parameters": []}], 131008),
        ("order_ready", [body("4711") | {"text": "x"}], 100),
        ("order_ready", [{"type": "body", "parameters": {"type": "text", "text": "4711"}}], 100),
        ("order_ready", [{"type": "body", "parameters": [{"type": "text"}]}], 131008),
        ("order_ready", [{"type": "body", "parameters": [{"type": "text", "text": "1", "index": 0}]}], 100),
        ("offer", [body("Ann"), COUPON], 132012),
        ("offer", [header("video", {"link": LINK}), body("Ann"), COUPON], 132012),
        ("offer", [header("image", {"id": "1"}), body("Ann"), COUPON], 131009),
        ("offer", [header("image", {}), body("Ann"), COUPON], 100),
        ("offer", [IMAGE, body("Ann")], 131008),
        ("offer", [IMAGE, body("Ann"), button("copy_code", 10, type="coupon_code", coupon_code="S")], 100),
        ("offer", [IMAGE, body("Ann"), button("coupon", "0", type="coupon_code", coupon_code="S")], 100),
        ("order_update", [body("4711", "packed")], 100),
        ("order_update", [body("4711", "packed", parameter_name="order")], 100),
        ("one_time_code", [body("123456")], 131008),
        ("one_time_code", [body("123456"), button("url", "0", type="text", text="654321")], 132018),
        ("one_time_code", [body("1" * 16), button("url", "0", type="text", text="1" * 16)], 132018),
        ("order_ready", [body("4711"), OFFER], 132012),
        ("new_arrivals", [], 132000),
        ("new_arrivals", [{"type": "carousel", "cards": [{"card_index": 0, **CARD}]}], 100),
        ("new_arrivals", [{"type": "carousel", "cards": [{"card_index": n, **CARD} for n in range(3)]}], 132000),
        ("new_arrivals", [{"type": "carousel", "cards": [{"card_index": n, **CARD} for n in (1, 1)]}], 131009),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_its_template_is_refused(sandbox: Sandbox, name: str, components: Any, code: int) -> None:
    assert send(sandbox, name, components=components) == (400, code)


@pytest.mark.parametrize(
    ("name", "language", "answer"),
    [
        ("does_not_exist", {"code": "en_US"}, (404, 132001)),
        ("hello_world", {"code": "de"}, (404, 132001)),
        ("hello_world", {"code": "en"}, (404, 132001)),
        ("Hello World", {"code": "en_US"}, (400, 100)),
        ("h" * 513, {"code": "en_US"}, (400, 100)),
        ("hello_world", {"code": "English"}, (400, 100)),
        ("hello_world", {"code": "en-US"}, (400, 100)),
        ("hello_world", {"code": "en_US", "policy": "fallback"}, (400, 100)),
        ("hello_world", {"code": "en_US", "policy": "deterministic"}, (200, 0)),
        ("hello_world", {"code": "en_US", "locale": "en"}, (400, 100)),
    ],
    ids=str,
)
def test_the_name_and_the_language(sandbox: Sandbox, name: str, language: JSON, answer: tuple[int, int]) -> None:
    assert send(sandbox, name, language=language) == answer


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("APPROVED", (200, 0)),
        ("PENDING", (404, 132001)),
        ("REJECTED", (404, 132001)),
        ("PAUSED", (400, 132015)),
        ("DISABLED", (400, 132016)),
    ],
)
def test_only_an_approved_template_is_sent(sandbox: Sandbox, status: str, answer: tuple[int, int]) -> None:
    sandbox.post("/_sandbox/templates", {"name": "hello_world", "status": status})
    assert send(sandbox, "hello_world") == answer


@pytest.mark.parametrize(("name", "code"), [("one_time_code", 131062), ("hello_world", 0)])
def test_a_one_time_code_needs_a_phone_number(sandbox: Sandbox, name: str, code: int) -> None:
    components = [body("123456"), OTP] if name == "one_time_code" else []
    node = {"name": name, "language": {"code": "en_US"}, "components": components}
    message = {"messaging_product": "whatsapp", "recipient": "US.1", "type": "template", "template": node}
    assert sandbox.request("POST", PATH, message)[1].get("error", {"code": 0})["code"] == code


def test_a_template_of_ones_own_can_be_sent_once_it_is_added(sandbox: Sandbox) -> None:
    before = send(sandbox, "my_own", body("Ann"))
    given = {"name": "my_own", "category": "MARKETING", "components": [{"type": "BODY", "text": "Hi {{1}}!"}]}
    template = sandbox.post("/_sandbox/templates", given)
    assert (before, template["status"], send(sandbox, "my_own", body("Ann"))) == ((404, 132001), "APPROVED", (200, 0))


def test_the_templates_are_listed_and_a_reset_brings_them_back(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/templates", {"name": "my_own"})
    sandbox.post("/_sandbox/templates", {"name": "hello_world", "status": "PAUSED"})
    sandbox.post("/_sandbox/reset")
    listed = sandbox.request("GET", "/_sandbox/templates")[1]["templates"]
    assert {template["status"] for template in listed} == {"APPROVED"}
    assert {template["name"] for template in listed} == {
        "hello_world", "order_ready", "order_update", "bill", "offer", "spring_sale", "new_arrivals", "one_time_code",
    }  # fmt: skip


def test_a_new_status_comes_by_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/templates", {"name": "spring_sale", "status": "PAUSED"})
    (hook,) = receiver.wait_for(1, lambda hook: "message_template_id" in hook.value)
    assert isinstance(hook.value.pop("message_template_id"), int)
    assert (
        hook.value.items()
        >= {
            "event": "PAUSED",
            "message_template_name": "spring_sale",
            "message_template_language": "en_US",
            "message_template_category": "MARKETING",
            "reason": "NONE",
        }.items()
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "name"),
        ({"name": "My Own"}, "name"),
        ({"name": "a", "language": "english"}, "language"),
        ({"name": "a", "category": "SALES"}, "category"),
        ({"name": "a", "status": "paused"}, "status"),
        ({"name": "a", "components": {}}, "components"),
        ({"name": "a", "components": [{"type": "TITLE"}]}, "components[0].type"),
        ({"name": "a", "components": [{"type": "BODY"}, {"type": "BODY"}]}, "components[1].type"),
        ({"name": "a", "components": [{"type": "HEADER", "format": "AUDIO"}]}, "components[0].format"),
        ({"name": "a", "components": [{"type": "BUTTONS", "buttons": {}}]}, "components[0].buttons"),
        ({"name": "a", "quality": "GREEN"}, "quality"),
    ],
    ids=str,
)
def test_bad_input_names_the_field(sandbox: Sandbox, given: JSON, field: str) -> None:
    status, answer = sandbox.request("POST", "/_sandbox/templates", given)
    assert (status, answer["field"]) == (400, field)


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ({"type": "template", "template": {"name": "spring_sale", "language": {"code": "en_US"}}}, 0),
        ({"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}, 131055),
        ({"type": "text", "text": {"body": "Hi"}}, 131055),
    ],
    ids=str,
)
def test_the_marketing_api_takes_marketing_templates_only(sandbox: Sandbox, node: JSON, code: int) -> None:
    message = {"messaging_product": "whatsapp", "to": "15551230001", "product_policy": "STRICT", **node}
    answer = sandbox.request("POST", f"/v25.0/{NUMBER}/marketing_messages", message)[1]
    assert answer.get("error", {"code": 0})["code"] == code


@pytest.mark.parametrize(
    ("query", "names", "count"),
    [
        ("", None, 12),
        ("?search=order", ["order_ready", "order_ready", "order_update", "order_update"], 4),
        ("?status=paused", ["bill"], 1),
        ("?status=APPROVED&search=offer&limit=1", ["offer"], 2),
        ("?limit=0", [], 12),
        ("?search=nothing", [], 0),
    ],
    ids=["all", "a part of the name", "a status", "the first", "the count alone", "none"],
)
def test_the_list_of_templates_is_filtered_and_counted(
    sandbox: Sandbox, query: str, names: list[str] | None, count: int
) -> None:
    sandbox.post("/_sandbox/templates", {"name": "bill", "status": "PAUSED"})
    status, answer = sandbox.request("GET", f"/_sandbox/templates{query}")
    listed = [template["name"] for template in answer["templates"]]
    assert (status, answer["count"], listed if names is not None else None) == (200, count, names)


@pytest.mark.parametrize("limit", ["", "-1", "1.5", "many", "1" * 10, "%D9%A3"])
def test_a_wrong_limit_of_the_list_is_named(sandbox: Sandbox, limit: str) -> None:
    status, answer = sandbox.request("GET", f"/_sandbox/templates?limit={limit}")
    assert (status, answer["field"]) == (400, "limit")
