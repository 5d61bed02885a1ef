"""Every type that can be sent: Meta's own example bodies, bodies of our own, and what is refused by which path."""

import json
import re
from typing import Any

import pytest

from messaging.whatsapp.outbound import MESSAGE_TYPES, InvalidContent, build, display_text, validate
from messaging.whatsapp.outbound.interactive import KINDS
from tests.messaging.whatsapp import samples

SENDS = sorted(path.stem for path in samples.FOLDER.glob("sends/*.json"))
RECEIPT = "send-typing-indicator-and-read-receipt"
BODY = {"body": {"text": "Which one?"}}
FILE = {"link": "https://example.com/a.png"}


def reply(number: int, title: str = "Yes") -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": f"id-{number}", "title": title}}


def buttons(*given: Any, **more: Any) -> dict[str, Any]:
    return {"type": "button", **BODY, "action": {"buttons": list(given)}, **more}


def rows(*counts: int, **section: Any) -> dict[str, Any]:
    sections = [{"rows": [{"id": f"{n}-{m}", "title": "Row"} for m in range(count)]} for n, count in enumerate(counts)]
    return {"type": "list", **BODY, "action": {"button": "Choose", "sections": [one | section for one in sections]}}


def named(kind: str, name: str, **parameters: Any) -> dict[str, Any]:
    return {"type": kind, **BODY, "action": {"name": name, **({"parameters": parameters} if parameters else {})}}


def flow(**parameters: Any) -> dict[str, Any]:
    return named("flow", "flow", **{"flow_message_version": "3", "flow_cta": "Open", **parameters})


def products(*counts: int) -> dict[str, Any]:
    sections = [{"title": "T", "product_items": [{"product_retailer_id": "p"}] * count} for count in counts]
    header = {"type": "text", "text": "Ours"}
    return {"type": "product_list", "header": header, **BODY, "action": {"catalog_id": "1", "sections": sections}}


CARD = {"name": {"formatted_name": "Ann"}}
TAKEN: list[tuple[str, dict[str, Any], str]] = [
    ("image", FILE | {"caption": "A cat"}, "A cat"),
    ("image", {"id": "4711"}, ""),
    ("video", FILE | {"caption": "c" * 1024}, "c" * 1024),
    ("audio", FILE | {"voice": True}, ""),
    ("document", {"id": "1", "filename": "bill.pdf"}, "bill.pdf"),
    ("sticker", {"id": "1"}, ""),
    ("location", {"latitude": 52.5, "longitude": "13.4", "name": "Berlin"}, "Berlin"),
    ("contacts", {"contacts": [CARD, CARD | {"phones": [{"phone": "+1"}], "birthday": "2012-08-18"}]}, "Ann, Ann"),
    ("reaction", {"message_id": "wamid.A", "emoji": "👍🏽"}, "👍🏽"),
    ("reaction", {"message_id": "wamid.A", "emoji": ""}, ""),
    ("interactive", buttons(reply(1), header={"type": "image", "image": FILE}, footer={"text": "f"}), "Which one?"),
    ("interactive", rows(10), "Which one?"),
    ("interactive", rows(5, 5, title="T"), "Which one?"),
    ("interactive", named("cta_url", "cta_url", display_text="Open", url="https://example.com/"), "Which one?"),
    ("interactive", flow(flow_id="1"), "Which one?"),
    ("interactive", {"type": "product", "action": {"catalog_id": "1", "product_retailer_id": "2"}}, ""),
    ("interactive", products(15, 15), "Which one?"),
    ("interactive", named("catalog_message", "catalog_message"), "Which one?"),
    (
        "interactive",
        {"type": "carousel", **BODY, "action": {"cards": [{"card_index": 0}, {"card_index": 1}]}},
        "Which one?",
    ),
    ("interactive", named("location_request_message", "send_location"), "Which one?"),
    ("interactive", named("address_message", "address_message", country="IN", values={}), "Which one?"),
    ("interactive", named("order_details", "review_and_pay", reference_id="1", order={}, currency="INR"), "Which one?"),
    ("interactive", named("order_status", "review_order", reference_id="1", order={}), "Which one?"),
    ("interactive", named("voice_call", "voice_call"), "Which one?"),
    ("interactive", {"type": "call_permission_request", "action": {"name": "call_permission_request"}}, ""),
    ("interactive", named("contact_request", "request_contact_info"), "Which one?"),
    ("interactive", named("request_contact_info", "request_contact_info"), "Which one?"),
]
DATA = "message_data"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("image", {}, DATA),
    ("image", FILE | {"id": "1"}, f"{DATA}.link"),
    ("image", {"link": "ftp://example.com"}, f"{DATA}.link"),
    ("image", FILE | {"caption": "c" * 1025}, f"{DATA}.caption"),
    ("image", FILE | {"filename": "a.png"}, f"{DATA}.filename"),
    ("audio", FILE | {"caption": "c"}, f"{DATA}.caption"),
    ("audio", FILE | {"voice": "yes"}, f"{DATA}.voice"),
    ("sticker", {"id": 5}, f"{DATA}.id"),
    ("location", {"latitude": 91, "longitude": 0}, f"{DATA}.latitude"),
    ("location", {"latitude": "nan", "longitude": 0}, f"{DATA}.latitude"),
    ("location", {"latitude": 1}, f"{DATA}.longitude"),
    ("location", {"latitude": True, "longitude": 0}, f"{DATA}.latitude"),
    ("contacts", {"contacts": []}, f"{DATA}.contacts"),
    ("contacts", {"contacts": [{}]}, f"{DATA}.contacts[0].name"),
    ("contacts", {"contacts": [CARD, {"name": {}}]}, f"{DATA}.contacts[1].name.formatted_name"),
    ("contacts", {"contacts": [CARD | {"birthday": "soon"}]}, f"{DATA}.contacts[0].birthday"),
    ("reaction", {"message_id": "wamid.A", "emoji": "fine"}, f"{DATA}.emoji"),
    ("reaction", {"emoji": "👍"}, f"{DATA}.message_id"),
    ("interactive", {}, f"{DATA}.type"),
    ("interactive", {"type": "hologram"}, f"{DATA}.type"),
    ("interactive", {"type": "button", **BODY}, f"{DATA}.action"),
    ("interactive", {"type": "button", "action": {"buttons": [reply(1)]}}, f"{DATA}.body"),
    ("interactive", buttons(), f"{DATA}.action.buttons"),
    ("interactive", buttons(*[reply(n) for n in range(4)]), f"{DATA}.action.buttons"),
    ("interactive", buttons(reply(1), reply(2, "t" * 21)), f"{DATA}.action.buttons[1].reply.title"),
    ("interactive", buttons(reply(1), body={"text": "b" * 1025}), f"{DATA}.body.text"),
    ("interactive", buttons(reply(1), footer={"text": "f" * 61}), f"{DATA}.footer.text"),
    ("interactive", buttons(reply(1), header={"type": "text", "text": "h" * 61}), f"{DATA}.header.text"),
    ("interactive", buttons(reply(1), colour="red"), f"{DATA}.colour"),
    ("interactive", rows(6, 5, title="T"), f"{DATA}.action.sections"),
    ("interactive", rows(1, 1), f"{DATA}.action.sections[0].title"),
    ("interactive", rows(1) | {"header": {"type": "image", "image": FILE}}, f"{DATA}.header.type"),
    ("interactive", products(16, 15), f"{DATA}.action.sections"),
    ("interactive", flow(), f"{DATA}.action.parameters"),
    ("interactive", flow(flow_id="1", flow_name="n"), f"{DATA}.action.parameters.flow_name"),
    ("interactive", flow(flow_id="1", flow_cta="c" * 31), f"{DATA}.action.parameters.flow_cta"),
    ("interactive", named("cta_url", "cta_url", display_text="o", url="#"), f"{DATA}.action.parameters.url"),
    ("interactive", named("cta_url", "open", display_text="o", url="https://a/"), f"{DATA}.action.name"),
    ("interactive", named("order_status", "review_order", order={}), f"{DATA}.action.parameters.reference_id"),
]


@pytest.mark.parametrize(("message_type", "data", "shown"), TAKEN, ids=lambda value: str(value)[:60])
def test_a_message_of_each_type_is_taken_as_it_is_and_shown_as_text(message_type: str, data: Any, shown: str) -> None:
    assert validate(message_type, data) == data
    assert display_text(message_type, data) == shown


def test_the_table_of_bodies_has_every_type_and_every_kind() -> None:
    assert {message_type for message_type, _, _ in TAKEN} | {"text", "template"} == set(MESSAGE_TYPES)
    assert {data["type"] for message_type, data, _ in TAKEN if message_type == "interactive"} == set(KINDS)


@pytest.mark.parametrize(("message_type", "data", "field"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_meta_would_refuse_is_refused_by_its_path(message_type: str, data: Any, field: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        validate(message_type, data)
    assert caught.value.field == field


def test_the_policy_of_a_templates_language_is_kept() -> None:
    language = {"code": "en_US", "policy": "deterministic"}
    body: Any = build("template", {"name": "a", "language": language}, to="1650", callback_data="x")
    assert body["template"]["language"] == language


def test_a_reaction_answers_by_its_own_id_alone() -> None:
    data = {"message_id": "wamid.A", "emoji": "👍"}
    assert "context" not in build("reaction", data, to="1650", callback_data="x", context_wamid="wamid.A")


@pytest.mark.skipif(not SENDS, reason="META_SAMPLES is not set")
@pytest.mark.parametrize("name", [name for name in SENDS if name != RECEIPT])
def test_metas_examples_can_be_expressed_and_come_out_as_they_are(name: str) -> None:
    sample = _filled(samples.load("sends", name))
    # Meta leaves the type out of some examples.
    message_type = sample.get("type") or next(name for name in MESSAGE_TYPES if name in sample)
    data = {"contacts": sample["contacts"]} if message_type == "contacts" else sample[message_type]
    context = sample.get("context", {}).get("message_id")
    normalised = validate(message_type, data)
    body = build(message_type, normalised, to="16505551234", callback_data="x", context_wamid=context)
    del body["biz_opaque_callback_data"]
    # What is left out of some examples has the value that we always write.
    assert body == {"recipient_type": "individual", "type": message_type} | sample | {"to": "16505551234"}


PLACEHOLDERS = {
    "<HEADER_TYPE>": "text",
    "<TEMPLATE_NAME>": "a_b",
    "template-name": "a_b",
    "language-and-locale-code": "en_US",
}


def _filled(sample: Any) -> Any:
    """The example with values for those of its placeholders that have a form of their own."""
    text = re.sub(r"<?http\(s\)://[^\">]*>?", "https://example.com/file", json.dumps(sample))
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return json.loads(text)
