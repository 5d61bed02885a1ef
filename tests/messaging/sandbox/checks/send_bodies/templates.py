"""Template messages: their components, parameters and cards."""

from __future__ import annotations

from typing import Any

from .interactive import shelf
from .simple import JSON, LINK


def template(*components: object, **changes: object) -> JSON:
    return {"name": "offer", "language": {"code": "en_US"}, "components": list(components), **changes}


def text(value: object = "Ann", name: object = None) -> JSON:
    return {"type": "text", "text": value} if name is None else {"type": "text", "text": value, "parameter_name": name}


def part(kind: str, *parameters: object, **more: object) -> JSON:
    return {"type": kind, "parameters": list(parameters), **more}


def button(sub_type: object, index: object, *parameters: object) -> JSON:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": list(parameters)}


def action(**content: object) -> JSON:
    return {"type": "action", "action": content}


def currency(**changes: object) -> JSON:
    return {"type": "currency", "currency": {"fallback_value": "$10", "code": "USD", "amount_1000": 10_000, **changes}}


def date_time(**changes: object) -> JSON:
    return {"type": "date_time", "date_time": {"fallback_value": "25 February", **changes}}


def offer(**content: object) -> JSON:
    return part("limited_time_offer", {"type": "limited_time_offer", "limited_time_offer": content})


IMAGE = {"type": "image", "image": LINK}
PAYLOAD = {"type": "payload", "payload": "yes"}
PICTURE = part("header", IMAGE)
REPLY = button("quick_reply", 0, PAYLOAD)
TRACK = button("url", 1, text("4711"))


def template_card(index: object, *components: object) -> JSON:
    return {"card_index": index, "components": list(components)}


def carousel(*made: object) -> JSON:
    return template({"type": "carousel", "cards": list(made)})


def like_cards(count: int) -> JSON:
    return carousel(*[template_card(index, PICTURE, part("body", text()), REPLY) for index in range(count)])


FIRST, CARD = "components[0].parameters[0]", "components[0].cards[1]"
TAKEN: list[tuple[str, Any]] = [
    ("template", template()),
    ("template", {"name": "n" * 512, "language": {"code": "fil", "policy": "deterministic"}}),
    *(("template", template(language={"code": code})) for code in ("en", "pt_BR", "prs_AF", "zh_CN")),
    ("template", template(part("header"), part("body"), part("footer"))),
    ("template", template({"type": "body"})),
    (
        "template",
        template(part("header", text("H")), part("body", text("a"), text("four    spaces"), text("Grüße 👍"))),
    ),
    ("template", template(part("HEADER", {"type": "IMAGE", "image": LINK}), part("BODY", text()))),
    ("template", template(part("body", text("x" * 32_768)))),
    ("template", template(part("header", text("H", "title")), part("body", text("a", "name"), text("b", "day")))),
    ("template", template(PICTURE, part("body", text("a", "name")))),
    ("template", template(part("header", text("H", "name")), part("body", text("a", "name")))),
    ("template", template(part("body", currency(), currency(amount_1000="10000"), date_time()))),
    ("template", template(part("body", date_time(day_of_week=5, year=1977, month=2, calendar="GREGORIAN")))),
    ("template", template(part("header", {"type": "video", "video": {"id": "1"}}))),
    ("template", template(part("header", {"type": "document", "document": {**LINK, "filename": "a.pdf"}}))),
    ("template", template(part("header", {"type": "location", "location": {"latitude": 1, "longitude": "2"}}))),
    ("template", template(part("header", {"type": "product", "product": {"product_retailer_id": "1"}}))),
    ("template", template(*[button("quick_reply", str(index), PAYLOAD) for index in range(10)])),
    ("template", template(button("quick_reply", 0), button("flow", 1), button("catalog", 2), button("voice_call", 3))),
    ("template", template(button("quick_reply", 0, text(True)), button("URL", 1, text("4711")))),
    ("template", template(button("copy_code", 0, {"type": "coupon_code", "coupon_code": "SPRING25"}))),
    ("template", template(button("flow", 0, action(flow_token="t", flow_action_data={"a": 1})))),
    ("template", template(button("CATALOG", 0, action(thumbnail_product_retailer_id="1")))),
    ("template", template(button("mpm", 0, action(thumbnail_product_retailer_id="1", sections=[shelf(30)])))),
    ("template", template(button("order_details", 0, action(order_details={"reference_id": "1"})))),
    ("template", template(button("voice_call", 0, PAYLOAD, {"type": "ttl_minutes", "ttl_minutes": 60}))),
    ("template", template(offer(expiration_time_ms=1_800_000_000_000))),
    ("template", like_cards(2)),
    ("template", like_cards(10)),
    ("template", carousel(template_card(1, PICTURE, TRACK), template_card(0, PICTURE, part("body", text()), TRACK))),
    ("template", carousel(template_card("0", PICTURE), template_card("1", PICTURE))),
]

REFUSED: list[tuple[str, Any, str, int]] = [
    ("template", template(name="Offer"), "name", 100),
    ("template", template(name="n" * 513), "name", 100),
    ("template", template(language={}), "language.code", 131008),
    *(
        ("template", template(language={"code": code}), "language.code", 100)
        for code in ("en-US", "EN", "english", "en_us", "e", "en_", "en US")
    ),
    ("template", template(language={"code": "en", "policy": "fallback"}), "language.policy", 100),
    ("template", template(components={}), "components", 100),
    ("template", template({}), "components[0].type", 131008),
    ("template", template("body"), "components[0]", 100),
    ("template", template(part("title")), "components[0].type", 100),
    ("template", template(part("body", text(), text="Hi")), "components[0].text", 100),
    ("template", template(part("body"), part("body")), "components[1]", 131009),
    ("template", template(part("header"), part("HEADER")), "components[1]", 131009),
    ("template", template(part("header", text(), text())), "components[0].parameters", 100),
    ("template", template(part("header", IMAGE, IMAGE)), "components[0].parameters", 100),
    ("template", template(part("footer", text())), "components[0].parameters", 100),
    ("template", template(part("body", IMAGE)), f"{FIRST}.type", 100),
    ("template", template(part("header", PAYLOAD)), f"{FIRST}.type", 100),
    ("template", template(part("body", {"text": "Ann"})), f"{FIRST}.type", 131008),
    ("template", template(part("body", {"type": "text"})), f"{FIRST}.text", 131008),
    ("template", template(part("body", "Ann")), FIRST, 100),
    ("template", template(part("body", text(1))), f"{FIRST}.text", 100),
    ("template", template(part("body", text(True))), f"{FIRST}.text", 100),
    *(
        ("template", template(part("body", text(), text(value))), "components[0].parameters[1].text", 132018)
        for value in ("a\nb", "a\rb", "a\tb", "a\u2028b", "a     b")
    ),
    ("template", template(part("body", text("x" * 32_769))), f"{FIRST}.text", 100),
    *(("template", template(part("body", text(value))), f"{FIRST}.text", 131008) for value in (" ", "\u200b\u2067")),
    (
        "template",
        template(part("body", text("a", "name"), text("b"))),
        "components[0].parameters[1].parameter_name",
        100,
    ),
    ("template", template(part("header", text("a")), part("body", text("b", "name"))), f"{FIRST}.parameter_name", 100),
    (
        "template",
        template(part("body", text("a", "name"), currency())),
        "components[0].parameters[1].parameter_name",
        100,
    ),
    (
        "template",
        template(part("body", text("a", "name"), text("b", "name"))),
        "components[0].parameters[1].parameter_name",
        100,
    ),
    ("template", template(part("body", text("a", ""))), f"{FIRST}.parameter_name", 100),
    ("template", template(part("body", text("a", "first name"))), f"{FIRST}.parameter_name", 100),
    ("template", template(part("header", {**IMAGE, "parameter_name": "a"})), f"{FIRST}.parameter_name", 100),
    ("template", template(part("body", {"type": "currency"})), f"{FIRST}.currency", 131008),
    ("template", template(part("body", {"type": "currency", "currency": "$10"})), f"{FIRST}.currency", 100),
    ("template", template(part("body", currency(code="Euro"))), f"{FIRST}.currency.code", 100),
    ("template", template(part("body", currency(amount_1000=1.5))), f"{FIRST}.currency.amount_1000", 100),
    ("template", template(part("body", currency(amount_1000=True))), f"{FIRST}.currency.amount_1000", 100),
    ("template", template(part("body", currency(amount_1000="10.50"))), f"{FIRST}.currency.amount_1000", 100),
    ("template", template(part("body", currency(fallback_value="a\nb"))), f"{FIRST}.currency.fallback_value", 132018),
    (
        "template",
        template(part("body", {"type": "date_time", "date_time": {}})),
        f"{FIRST}.date_time.fallback_value",
        131008,
    ),
    ("template", template(part("body", date_time(century=20))), f"{FIRST}.date_time.century", 100),
    ("template", template(part("header", {"type": "image", "image": {}})), f"{FIRST}.image", 100),
    ("template", template(part("header", {"type": "image", "image": {**LINK, "id": "1"}})), f"{FIRST}.image.link", 100),
    (
        "template",
        template(part("header", {"type": "image", "image": {**LINK, "caption": "a"}})),
        f"{FIRST}.image.caption",
        100,
    ),
    ("template", template(part("header", {"type": "video", "video": {"link": "a"}})), f"{FIRST}.video.link", 100),
    (
        "template",
        template(part("header", {"type": "document", "document": {**LINK, "filename": " "}})),
        f"{FIRST}.document.filename",
        131009,
    ),
    (
        "template",
        template(part("header", {"type": "location", "location": {"latitude": 1}})),
        f"{FIRST}.location.longitude",
        131008,
    ),
    (
        "template",
        template(part("header", {"type": "product", "product": {}})),
        f"{FIRST}.product.product_retailer_id",
        131008,
    ),
    ("template", template({"type": "button", "index": 0}), "components[0].sub_type", 131008),
    ("template", template(button("jump", 0, PAYLOAD)), "components[0].sub_type", 100),
    (
        "template",
        template({"type": "button", "sub_type": "url", "parameters": [text()]}),
        "components[0].index",
        131008,
    ),
    *(
        ("template", template(button("url", index, text())), "components[0].index", 100)
        for index in (-1, 10, "10", "first", 0.5, True)
    ),
    ("template", template(button("url", 0, text()), button("url", "0", text())), "components[1].index", 131009),
    ("template", template(button("url", 0, text()), button("quick_reply", 0, PAYLOAD)), "components[1].index", 131009),
    ("template", template(button("url", 0)), "components[0].parameters", 132018),
    ("template", template(button("url", 0, text(), text())), "components[0].parameters", 100),
    ("template", template(button("url", 0, action())), f"{FIRST}.type", 100),
    ("template", template(button("url", 0, text("a", "name"))), f"{FIRST}.parameter_name", 100),
    ("template", template(button("quick_reply", 0, {"type": "payload", "payload": 1})), f"{FIRST}.payload", 100),
    ("template", template(button("quick_reply", 0, {"type": "payload"})), f"{FIRST}.payload", 131008),
    ("template", template(button("copy_code", 0, text())), f"{FIRST}.type", 100),
    (
        "template",
        template(button("copy_code", 0, {"type": "coupon_code", "coupon_code": " "})),
        f"{FIRST}.coupon_code",
        131008,
    ),
    ("template", template(button("flow", 0, action(flow_action_data=[]))), f"{FIRST}.action.flow_action_data", 100),
    ("template", template(button("flow", 0, action(flow_token=1))), f"{FIRST}.action.flow_token", 100),
    ("template", template(button("flow", 0, action(screen="A"))), f"{FIRST}.action.screen", 100),
    ("template", template(button("catalog", 0, action(sections=[]))), f"{FIRST}.action.sections", 100),
    (
        "template",
        template(button("mpm", 0, action(thumbnail_product_retailer_id="1"))),
        f"{FIRST}.action.sections",
        131008,
    ),
    (
        "template",
        template(button("mpm", 0, action(sections=[shelf(31)]))),
        f"{FIRST}.action.sections[0].product_items",
        100,
    ),
    (
        "template",
        template(button("mpm", 0, action(sections=[shelf(1, " ")]))),
        f"{FIRST}.action.sections[0].title",
        131009,
    ),
    ("template", template(button("order_details", 0, action(order_details=[]))), f"{FIRST}.action.order_details", 100),
    (
        "template",
        template(button("voice_call", 0, {"type": "ttl_minutes", "ttl_minutes": 0})),
        f"{FIRST}.ttl_minutes",
        100,
    ),
    ("template", template(offer()), f"{FIRST}.limited_time_offer.expiration_time_ms", 131008),
    ("template", template(offer(expiration_time_ms="soon")), f"{FIRST}.limited_time_offer.expiration_time_ms", 100),
    ("template", template(part("limited_time_offer")), "components[0].parameters", 100),
    ("template", template({"type": "limited_time_offer"}), "components[0].parameters", 131008),
    ("template", template({"type": "carousel"}), "components[0].cards", 131008),
    ("template", like_cards(1), "components[0].cards", 100),
    ("template", like_cards(11), "components[0].cards", 100),
    ("template", carousel(template_card(0, PICTURE), template_card(0, PICTURE)), f"{CARD}.card_index", 131009),
    ("template", carousel(template_card(0, PICTURE), template_card("0", PICTURE)), f"{CARD}.card_index", 131009),
    ("template", carousel(template_card(0, PICTURE), template_card(5, PICTURE)), f"{CARD}.card_index", 131009),
    ("template", carousel(template_card(0, PICTURE), template_card(10, PICTURE)), f"{CARD}.card_index", 100),
    ("template", carousel(template_card(0, PICTURE), {"card_index": 1}), f"{CARD}.components", 131008),
    ("template", carousel(template_card(0, PICTURE), template_card(1)), f"{CARD}.components", 131009),
    (
        "template",
        carousel(template_card(0, PICTURE), template_card(1, part("header", {"type": "video", "video": LINK}))),
        f"{CARD}.components",
        131009,
    ),
    ("template", carousel(template_card(0, PICTURE, REPLY), template_card(1, PICTURE)), f"{CARD}.components", 131009),
    (
        "template",
        carousel(template_card(0, PICTURE, button("url", 0, text())), template_card(1, PICTURE, REPLY)),
        f"{CARD}.components",
        131009,
    ),
    (
        "template",
        carousel(template_card(0, PICTURE, part("body"), part("body")), template_card(1, PICTURE)),
        "components[0].cards[0].components[2]",
        131009,
    ),
    (
        "template",
        carousel(template_card(0, part("footer")), template_card(1, part("footer"))),
        "components[0].cards[0].components[0].type",
        100,
    ),
    (
        "template",
        carousel(template_card(0, part("body", text("a\nb"))), template_card(1)),
        "components[0].cards[0].components[0].parameters[0].text",
        132018,
    ),
]
