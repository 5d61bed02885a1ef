"""What Meta refuses of an interactive message: its limits, and the rules between its elements."""

from __future__ import annotations

from typing import Any

import pytest

from ..process import NUMBER, Sandbox

PATH = f"/v25.0/{NUMBER}/messages"
JSON = dict[str, Any]


def code_of(sandbox: Sandbox, node: object) -> int:
    """Meta's code of a refusal, 0 where the message is accepted."""
    body = {"messaging_product": "whatsapp", "to": "15551230001", "type": "interactive", "interactive": node}
    status, answer = sandbox.request("POST", PATH, body)
    assert status in {200, 400}
    return 0 if status == 200 else int(answer["error"]["code"])


def buttons(*replies: tuple[object, object], **more: object) -> JSON:
    listed = [{"type": "reply", "reply": {"id": id_, "title": title}} for id_, title in replies]
    return {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": listed}, **more}


def rows(*sections: JSON, **more: object) -> JSON:
    action = {"button": "Times", "sections": list(sections)}
    return {"type": "list", "body": {"text": "When?"}, "action": action, **more}


def section(*ids: str, title: str | None = None, **row: object) -> JSON:
    made = {"rows": [{"id": id_, "title": f"Row {id_}"[:24], **row} for id_ in ids]}
    return made if title is None else {"title": title, **made}


def header(text: str) -> JSON:
    return {"header": {"type": "text", "text": text}}


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (buttons(("a", "Yes")), 0),
        (buttons(("a", "Yes"), ("b", "No"), ("c", "Later")), 0),
        (buttons(("a", "Yes"), ("b", "yes")), 0),
        (buttons(("a", "t" * 20)), 0),
        (buttons(("a", "t" * 21)), 100),
        (buttons(("i" * 256, "Yes")), 0),
        (buttons(("i" * 257, "Yes")), 100),
        (buttons(), 100),
        (buttons(*[(str(n), f"Button {n}") for n in range(4)]), 100),
        (buttons(("a", "Yes"), ("b", "Yes")), 131009),
        (buttons(("a", "Yes"), ("a", "No")), 131009),
        (buttons(("a", "  ")), 131009),
        (buttons(("  ", "Yes")), 131009),
        (buttons(("a", "")), 100),
        (buttons(("a", "One\ntwo")), 131009),
        (buttons((1, "Yes")), 100),
        (buttons(("a", None)), 131008),
        (buttons(("a", "Yes"), body={"text": " \n "}), 131009),
        (buttons(("a", "Yes"), body={"text": "b" * 1024}), 0),
        (buttons(("a", "Yes"), body={"text": "b" * 1025}), 100),
        (buttons(("a", "Yes"), body="Well?"), 100),
        (buttons(("a", "Yes"), body=None), 131008),
        (buttons(("a", "Yes"), footer={"text": "f" * 60}), 0),
        (buttons(("a", "Yes"), footer={"text": "f" * 61}), 100),
        (buttons(("a", "Yes"), footer={"text": " "}), 131009),
        (buttons(("a", "Yes"), **header("h" * 60)), 0),
        (buttons(("a", "Yes"), **header("h" * 61)), 100),
        (buttons(("a", "Yes"), **header("One\ntwo")), 131009),
        (buttons(("a", "Yes"), **header("One\r")), 131009),
        (buttons(("a", "Yes"), **header(" ")), 131009),
        (buttons(("a", "Yes"), header={"type": "image", "image": {"link": "https://example.com/a.jpg"}}), 0),
        (buttons(("a", "Yes"), header={"type": "image", "image": {"id": "123"}}), 131009),
        (buttons(("a", "Yes"), header={"type": "image", "text": "A cat"}), 100),
        (buttons(("a", "Yes"), header={"type": "audio", "audio": {"link": "https://example.com/a"}}), 100),
        (buttons(("a", "Yes"), extra=1), 100),
        ({"type": "button", "body": {"text": "?"}, "action": {"buttons": [{"type": "url"}]}}, 100),
        ({"type": "quiz", "body": {"text": "?"}, "action": {}}, 100),
    ],
    ids=str,
)
def test_reply_buttons(sandbox: Sandbox, node: JSON, code: int) -> None:
    assert code_of(sandbox, node) == code


TEN = [str(n) for n in range(10)]


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (rows(section("a")), 0),
        (rows(section(*TEN)), 0),
        (rows(section(*TEN, "x")), 100),
        (rows(section("a", title="One"), section("b", title="Two")), 0),
        (rows(section("a", title="One"), section("b")), 131008),
        (rows(section(*TEN[:6], title="One"), section("a", "b", "c", "d", "e", title="Two")), 100),
        (rows(*[section(str(n), title=f"Section {n}") for n in range(10)]), 0),
        (rows(*[section(str(n), title=f"Section {n}") for n in range(11)]), 100),
        (rows(section("a", "a")), 131009),
        (rows(section("a", title="One"), section("a", title="Two")), 131009),
        (rows(section("a", title="t" * 24)), 0),
        (rows(section("a", title="t" * 25)), 100),
        (rows(section("a", title=" ")), 131009),
        (rows(section("i" * 200)), 0),
        (rows(section("i" * 201)), 100),
        (rows(section("a", "b", title="t")), 0),
        (rows(section("a", description="d" * 72)), 0),
        (rows(section("a", description="d" * 73)), 100),
        (rows(section("a", description=" ")), 131009),
        (rows({"rows": [{"id": "a", "title": "t" * 25}]}), 100),
        (rows({"rows": [{"id": "a", "title": "\u200b"}]}), 131009),
        (rows({"rows": []}), 100),
        (rows(), 100),
        (rows(section("a"), body={"text": "b" * 4096}), 0),
        (rows(section("a"), body={"text": "b" * 4097}), 100),
        (rows(section("a"), header={"type": "image", "image": {"link": "https://example.com/a.jpg"}}), 100),
        (rows(section("a"), action={"button": "b" * 21, "sections": [section("a")]}), 100),
        (rows(section("a"), action={"button": " ", "sections": [section("a")]}), 131009),
        (rows(section("a"), action={"sections": [section("a")]}), 131008),
    ],
    ids=str,
)
def test_lists(sandbox: Sandbox, node: JSON, code: int) -> None:
    assert code_of(sandbox, node) == code


def named(kind: str, name: str, parameters: object = None, **more: object) -> JSON:
    action: JSON = {"name": name} if parameters is None else {"name": name, "parameters": parameters}
    return {"type": kind, "body": {"text": "Look"}, "action": action, **more}


def flow(**changes: object) -> JSON:
    return named("flow", "flow", {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", **changes})


def products(count: int, **more: object) -> JSON:
    items = [{"product_retailer_id": str(n)} for n in range(count)]
    action = {"catalog_id": "1", "sections": [{"title": "All", "product_items": items}]}
    return {"type": "product_list", **header("Products"), "body": {"text": "Look"}, "action": action, **more}


def cards(*indices: int) -> JSON:
    listed = [{"card_index": index, "type": "cta_url"} for index in indices]
    return {"type": "carousel", "body": {"text": "Look"}, "action": {"cards": listed}}


def nested(levels: int) -> JSON:
    """An object in an object, and so on."""
    node: JSON = {}
    for _ in range(levels):
        node = {"in": node}
    return node


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (flow(flow_action_payload={"screen": "A", "data": nested(450)}), 0),
        (named("cta_url", "cta_url", {"display_text": "Pay", "url": "https://example.com"}), 0),
        (named("cta_url", "cta_url", {"display_text": "d" * 21, "url": "https://example.com"}), 100),
        (named("cta_url", "cta_url", {"display_text": "Pay", "url": "example.com"}), 100),
        (named("cta_url", "url", {"display_text": "Pay", "url": "https://example.com"}), 100),
        (named("cta_url", "cta_url"), 131008),
        (flow(), 0),
        (flow(flow_id=None, flow_name="order"), 0),
        (flow(flow_name="order"), 100),
        (flow(flow_id=None), 100),
        (flow(flow_cta="c" * 30), 0),
        (flow(flow_cta="c" * 31), 100),
        (flow(flow_message_version="2"), 100),
        (flow(mode="test"), 100),
        (flow(flow_action="navigate", flow_action_payload={"screen": "A", "data": {}}), 0),
        (flow(flow_action="jump"), 100),
        (flow(flow_action_payload={"data": {}}), 131008),
        (products(30), 0),
        (products(31), 100),
        (products(1, header=None), 131008),
        ({"type": "product", "action": {"catalog_id": "1", "product_retailer_id": "2"}}, 0),
        ({"type": "product", "action": {"catalog_id": "1"}}, 131008),
        ({"type": "product", "action": {"catalog_id": "1", "product_retailer_id": "2"}, **header("No")}, 100),
        (named("catalog_message", "catalog_message", {"thumbnail_product_retailer_id": "1"}), 0),
        (named("catalog_message", "catalog_message"), 0),
        (named("catalog_message", "catalogue"), 100),
        (cards(0, 1), 0),
        (cards(0), 100),
        (cards(*range(11)), 100),
        (cards(1, 0), 0),
        (cards(0, 0), 131009),
        (named("location_request_message", "send_location"), 0),
        (named("location_request_message", "send_place"), 100),
        (named("contact_request", "request_contact_info"), 0),
        (named("request_contact_info", "request_contact_info"), 0),
        (named("address_message", "address_message", {"country": "IN"}), 0),
        (named("address_message", "address_message", {"country": "India"}), 100),
        (named("voice_call", "voice_call", {"display_text": "Call us", "ttl_minutes": 60}), 0),
        (named("voice_call", "voice_call", {"display_text": "d" * 21}), 100),
        ({"type": "call_permission_request", "action": {"name": "call_permission_request"}}, 0),
    ],
    ids=str,
)
def test_the_other_kinds(sandbox: Sandbox, node: JSON, code: int) -> None:
    assert code_of(sandbox, node) == code
