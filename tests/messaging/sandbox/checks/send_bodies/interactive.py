"""Interactive messages of every kind."""

from __future__ import annotations

from typing import Any

from .simple import JSON, LINK


def interactive(kind: str, action: JSON, **more: object) -> JSON:
    return {"type": kind, "body": {"text": "Well?"}, "action": action, **more}


def buttons(*pairs: tuple[object, object], **more: object) -> JSON:
    replies = [{"type": "reply", "reply": {"id": id_, "title": title}} for id_, title in pairs]
    return interactive("button", {"buttons": replies}, **more)


def header(text: object) -> JSON:
    return {"header": {"type": "text", "text": text}}


def section(*ids: object, **more: object) -> JSON:
    return {"rows": [{"id": id_, "title": "Row"} for id_ in ids], **more}


def row(**changes: object) -> JSON:
    return {"rows": [{"id": "a", "title": "Row", **changes}]}


def rows(*sections: JSON, button: object = "Open", **more: object) -> JSON:
    return interactive("list", {"button": button, "sections": list(sections)}, **more)


def named(kind: str, name: str, parameters: object = None, **more: object) -> JSON:
    return interactive(kind, {"name": name} if parameters is None else {"name": name, "parameters": parameters}, **more)


def cta(**changes: object) -> JSON:
    return named("cta_url", "cta_url", {"display_text": "Pay", "url": "https://example.com/pay", **changes})


def flow(**changes: object) -> JSON:
    parameters = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Open", **changes}
    return named("flow", "flow", {key: value for key, value in parameters.items() if value is not None})


def products(*sections: JSON, **more: object) -> JSON:
    action = {"catalog_id": "1", "sections": list(sections)}
    return interactive("product_list", action, **{**header("Ours"), **more})


def shelf(count: int, title: object = "All") -> JSON:
    return {"title": title, "product_items": [{"product_retailer_id": str(n)} for n in range(count)]}


def cards(*made: JSON) -> JSON:
    return interactive("carousel", {"cards": list(made)})


def card(index: object, **more: object) -> JSON:
    return {"card_index": index, "type": "cta_url", "header": {"type": "image", "image": LINK}, **more}


def address(**changes: object) -> JSON:
    return named("address_message", "address_message", {"country": "IN", **changes})


GIVEN = "action.parameters"
TAKEN: list[tuple[str, Any]] = [
    ("interactive", buttons(("a", "Yes"))),
    ("interactive", buttons(("a", "t" * 20), ("b", "yes"), ("i" * 256, "Yes"))),
    ("interactive", buttons(("a", "Yes"), body={"text": "b" * 1024}, footer={"text": "f" * 60}, **header("h" * 60))),
    ("interactive", buttons(("a", "Yes"), header={"type": "image", "image": LINK})),
    ("interactive", buttons(("a", "Yes"), header={"type": "video", "video": LINK})),
    ("interactive", buttons(("a", "Yes"), header={"type": "document", "document": {**LINK, "filename": "a.pdf"}})),
    ("interactive", rows(section(*"abcdefghij"), body={"text": "b" * 4096}, button="b" * 20, **header("H"))),
    ("interactive", rows(*[section(str(n), title=f"Section {n}") for n in range(10)])),
    ("interactive", rows(section("a", title="t" * 24))),
    ("interactive", rows(row(id="i" * 200, title="t" * 24, description="d" * 72))),
    ("interactive", cta(display_text="d" * 20)),
    ("interactive", flow(flow_cta="c" * 30, flow_token="t", mode="draft")),
    ("interactive", flow(flow_id=None, flow_name="n", flow_action="data_exchange")),
    ("interactive", flow(flow_action="navigate", flow_action_payload={"screen": "A", "data": {"a": [1, {}]}})),
    ("interactive", {"type": "product", "action": {"catalog_id": "1", "product_retailer_id": "2"}}),
    ("interactive", products(shelf(30))),
    ("interactive", products(shelf(15), shelf(15, "More"))),
    ("interactive", named("catalog_message", "catalog_message")),
    ("interactive", named("catalog_message", "catalog_message", {"thumbnail_product_retailer_id": "1"})),
    ("interactive", cards(card(0), card(1))),
    ("interactive", cards(*[card(index) for index in range(9, -1, -1)])),
    ("interactive", named("location_request_message", "send_location")),
    ("interactive", address(values={"name": "Ann"}, saved_addresses=[{"id": "1"}], validation_errors={"zip": "?"})),
    ("interactive", named("order_details", "review_and_pay", {"reference_id": "1", "order": {}, "currency": "INR"})),
    ("interactive", named("order_status", "review_order", {"reference_id": "1", "order": {"status": "shipped"}})),
    ("interactive", named("voice_call", "voice_call")),
    ("interactive", named("voice_call", "voice_call", {"display_text": "Call", "ttl_minutes": 43_200, "payload": "p"})),
    ("interactive", {"type": "call_permission_request", "action": {"name": "call_permission_request"}}),
    ("interactive", named("contact_request", "request_contact_info")),
    ("interactive", named("request_contact_info", "request_contact_info")),
]

REFUSED: list[tuple[str, Any, str, int]] = [
    ("interactive", {"type": "quiz", "body": {"text": "?"}, "action": {}}, "type", 100),
    ("interactive", {"body": {"text": "?"}, "action": {}}, "type", 131008),
    ("interactive", {"type": "button", "body": {"text": "?"}}, "action", 131008),
    ("interactive", buttons(), "action.buttons", 100),
    ("interactive", buttons(*[(str(n), f"B{n}") for n in range(4)]), "action.buttons", 100),
    ("interactive", buttons(("a", "t" * 21)), "action.buttons[0].reply.title", 100),
    ("interactive", buttons(("i" * 257, "Yes")), "action.buttons[0].reply.id", 100),
    ("interactive", buttons(("a", "Yes"), ("a", "No")), "action.buttons[1].reply.id", 131009),
    ("interactive", buttons(("a", "Yes"), ("b", "Yes")), "action.buttons[1].reply.title", 131009),
    ("interactive", buttons(("a", " ")), "action.buttons[0].reply.title", 131009),
    ("interactive", buttons(("a", "")), "action.buttons[0].reply.title", 100),
    ("interactive", buttons((" ", "Yes")), "action.buttons[0].reply.id", 131009),
    ("interactive", buttons(("a", "Y\nes")), "action.buttons[0].reply.title", 131009),
    ("interactive", buttons((1, "Yes")), "action.buttons[0].reply.id", 100),
    ("interactive", buttons(("a", "Yes"), body={"text": "b" * 1025}), "body.text", 100),
    ("interactive", buttons(("a", "Yes"), body={"text": " \n"}), "body.text", 131009),
    ("interactive", buttons(("a", "Yes"), footer={"text": "f" * 61}), "footer.text", 100),
    ("interactive", buttons(("a", "Yes"), footer={"text": " "}), "footer.text", 131009),
    ("interactive", buttons(("a", "Yes"), **header("h" * 61)), "header.text", 100),
    ("interactive", buttons(("a", "Yes"), **header("a\nb")), "header.text", 131009),
    ("interactive", buttons(("a", "Yes"), **header(" ")), "header.text", 131009),
    ("interactive", buttons(("a", "Yes"), header={"type": "audio", "audio": LINK}), "header.type", 100),
    ("interactive", buttons(("a", "Yes"), header={"type": "image", "image": {}}), "header.image", 100),
    ("interactive", buttons(("a", "Yes"), extra=1), "extra", 100),
    ("interactive", rows(), "action.sections", 100),
    ("interactive", rows(section()), "action.sections[0].rows", 100),
    ("interactive", rows(section(*"abcdefghijk")), "action.sections[0].rows", 100),
    ("interactive", rows(section(*"abcdef", title="1"), section(*"ghijk", title="2")), "action.sections", 100),
    ("interactive", rows(*[section(str(n), title=str(n)) for n in range(11)]), "action.sections", 100),
    ("interactive", rows(section("a", title="1"), section("b")), "action.sections[1].title", 131008),
    ("interactive", rows(section("a", title="t" * 25)), "action.sections[0].title", 100),
    ("interactive", rows(section("a", title=" ")), "action.sections[0].title", 131009),
    ("interactive", rows(section("a", title="")), "action.sections[0].title", 100),
    ("interactive", rows(section("a", title="a\nb")), "action.sections[0].title", 131009),
    ("interactive", rows(section("a", "a")), "action.sections[0].rows[1].id", 131009),
    ("interactive", rows(section("a", title="1"), section("a", title="2")), "action.sections[1].rows[0].id", 131009),
    ("interactive", rows(section(" ")), "action.sections[0].rows[0].id", 131009),
    ("interactive", rows(row(id="i" * 201)), "action.sections[0].rows[0].id", 100),
    ("interactive", rows(row(title="t" * 25)), "action.sections[0].rows[0].title", 100),
    ("interactive", rows(row(title="\u200b")), "action.sections[0].rows[0].title", 131009),
    ("interactive", rows(row(description="d" * 73)), "action.sections[0].rows[0].description", 100),
    ("interactive", rows(row(description=" ")), "action.sections[0].rows[0].description", 131009),
    ("interactive", rows(section("a"), button="b" * 21), "action.button", 100),
    ("interactive", rows(section("a"), button=" "), "action.button", 131009),
    ("interactive", rows(section("a"), body={"text": "b" * 4097}), "body.text", 100),
    ("interactive", rows(section("a"), header={"type": "image", "image": LINK}), "header.type", 100),
    ("interactive", cta(display_text="d" * 21), f"{GIVEN}.display_text", 100),
    ("interactive", cta(url="example.com"), f"{GIVEN}.url", 100),
    ("interactive", named("cta_url", "url", {"display_text": "a", "url": "https://a/"}), "action.name", 100),
    ("interactive", named("cta_url", "cta_url"), "action.parameters", 131008),
    ("interactive", flow(flow_name="n"), f"{GIVEN}.flow_name", 100),
    ("interactive", flow(flow_id=None), "action.parameters", 100),
    ("interactive", flow(flow_cta="c" * 31), f"{GIVEN}.flow_cta", 100),
    ("interactive", flow(flow_message_version="2"), f"{GIVEN}.flow_message_version", 100),
    ("interactive", flow(flow_action="jump"), f"{GIVEN}.flow_action", 100),
    ("interactive", flow(mode="test"), f"{GIVEN}.mode", 100),
    ("interactive", flow(flow_id=" "), f"{GIVEN}.flow_id", 131009),
    ("interactive", flow(flow_action_payload={}), f"{GIVEN}.flow_action_payload.screen", 131008),
    ("interactive", flow(flow_action_payload={"screen": "A", "data": []}), f"{GIVEN}.flow_action_payload.data", 100),
    ("interactive", flow(flow_action_payload={"screen": "A", "to": 1}), f"{GIVEN}.flow_action_payload.to", 100),
    ("interactive", {"type": "product", "action": {"catalog_id": "1"}}, "action.product_retailer_id", 131008),
    (
        "interactive",
        {"type": "product", "action": {"catalog_id": " ", "product_retailer_id": "2"}},
        "action.catalog_id",
        131009,
    ),
    ("interactive", products(shelf(31)), "action.sections[0].product_items", 100),
    ("interactive", products(shelf(16), shelf(15, "More")), "action.sections", 100),
    ("interactive", products(shelf(1), shelf(1, None)), "action.sections[1].title", 131008),
    ("interactive", products(shelf(1, " ")), "action.sections[0].title", 131009),
    ("interactive", products(shelf(1), header=None), "header", 131008),
    ("interactive", named("catalog_message", "catalogue"), "action.name", 100),
    (
        "interactive",
        named("catalog_message", "catalog_message", {"thumbnail_product_retailer_id": 1}),
        f"{GIVEN}.thumbnail_product_retailer_id",
        100,
    ),
    ("interactive", cards(card(0)), "action.cards", 100),
    ("interactive", cards(*[card(index) for index in range(11)]), "action.cards", 100),
    ("interactive", cards(card(0), card(0)), "action.cards[1].card_index", 131009),
    ("interactive", cards(card(0), card(2)), "action.cards[1].card_index", 131009),
    ("interactive", cards(card(0), card(10)), "action.cards[1].card_index", 100),
    ("interactive", cards(card(0), {"type": "cta_url"}), "action.cards[1].card_index", 131008),
    ("interactive", cards(card(0), {"card_index": 1, "type": "cta_url"}), "action.cards[1]", 131009),
    ("interactive", cards(card(0), card(1, type="product")), "action.cards[1]", 131009),
    ("interactive", cards(card(0), card(1, header={"type": "video", "video": LINK})), "action.cards[1]", 131009),
    ("interactive", named("location_request_message", "send_place"), "action.name", 100),
    ("interactive", named("location_request_message", "send_location", body={"text": "b" * 1025}), "body.text", 100),
    ("interactive", address(country="India"), f"{GIVEN}.country", 100),
    ("interactive", address(city="Pune"), f"{GIVEN}.city", 100),
    ("interactive", address(values=[]), f"{GIVEN}.values", 100),
    ("interactive", address(saved_addresses={}), f"{GIVEN}.saved_addresses", 100),
    ("interactive", named("order_status", "review_order", {"order": {}}), f"{GIVEN}.reference_id", 131008),
    (
        "interactive",
        named("order_details", "review_and_pay", {"reference_id": "1", "order": []}),
        f"{GIVEN}.order",
        100,
    ),
    ("interactive", named("voice_call", "voice_call", {"display_text": "d" * 21}), f"{GIVEN}.display_text", 100),
    ("interactive", named("voice_call", "voice_call", {"ttl_minutes": 0}), f"{GIVEN}.ttl_minutes", 100),
    ("interactive", named("voice_call", "voice_call", {"ttl_minutes": 43_201}), f"{GIVEN}.ttl_minutes", 100),
    ("interactive", named("contact_request", "send_contact"), "action.name", 100),
]
