"""The parameters that a send of a template gives, as fields of a form, and a send made of their values.

The counterpart of `template_fit`, which checks a send: a form filled in completely passes that check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from messaging.whatsapp.template_fit import MAX_CODE, Needs, needs_of

# Where Meta has no example value.
STAND_INS: Mapping[str, object] = {
    "image": {"link": "https://example.com/image.jpg"},
    "video": {"link": "https://example.com/video.mp4"},
    "document": {"link": "https://example.com/document.pdf"},
    "location": {"latitude": 52.5, "longitude": 13.4, "name": "Name", "address": "Address"},
    "product": {"product_retailer_id": "product"},
    "payload": "payload",
    "coupon_code": "CODE",
    "limited_time_offer": {"expiration_time_ms": 1_798_761_600_000},
}
# The type of the parameter of a button, by its `sub_type`.
_OF_BUTTON: Mapping[str, str] = {
    "quick_reply": "payload",
    "url": "text",
    "copy_code": "coupon_code",
    "flow": "action",
    "catalog": "action",
    "mpm": "action",
    "order_details": "action",
    "voice_call": "payload",
}
_ACTIONS: Mapping[str, object] = {
    "mpm": {"sections": [{"title": "Products", "product_items": [{"product_retailer_id": "product"}]}]},
    "order_details": {"order_details": {}},
}
_FILES = frozenset({"image", "video", "document"})
HEADER_KINDS = _FILES | {"location", "product"}


class Place(StrEnum):
    """The component in which a parameter stands."""

    HEADER = "header"
    BODY = "body"
    BUTTON = "button"
    LIMITED_TIME_OFFER = "limited_time_offer"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a template. `kind` is its type in a send: text, image, payload …

    `key` is unique in the template: `header`, `body.1`, `body.order`, `buttons.0`, `cards.1.body.1`. `name` is empty
    for a numbered one. `card` and `button` are indexes from 0, `sub_type` is that of the button. `example` is Meta's,
    empty where it has none. `same_as`: the key of the parameter whose value it repeats.
    """

    key: str
    place: Place
    kind: str
    label: str
    required: bool = True
    name: str = ""
    card: int | None = None
    button: int | None = None
    sub_type: str = ""
    example: str = ""
    max_length: int | None = None
    same_as: str = ""


def parameters_of(components: Sequence[Mapping[str, Any]], category: str = "") -> tuple[Parameter, ...]:
    """The parameters of a template with these components, in Meta's form, in the order in which a phone shows them."""
    needs = needs_of(components, category)
    found = [*_header_and_body(needs, components, None)]
    if needs.has_offer:
        found.append(
            Parameter("limited_time_offer", Place.LIMITED_TIME_OFFER, "limited_time_offer", "End of the offer")
        )
    code = next((each.key for each in found if each.place is Place.BODY), "") if needs.is_code else ""
    found += _buttons(needs, components, None, code)
    cards = _mappings(_part(components, "CAROUSEL").get("cards"))
    for index, (card, of_card) in enumerate(zip(cards, needs.cards, strict=True)):
        parts = _mappings(card.get("components"))
        found += [*_header_and_body(of_card, parts, index), *_buttons(of_card, parts, index, "")]
    return tuple(found)


def components_with(parameters: Sequence[Parameter], values: Mapping[str, object]) -> list[dict[str, Any]]:
    """The `components` of a send with these values, by the parameters' keys; a parameter without a value is left out.

    A file is a mapping with `link` or `id`, or its link alone.
    """
    components = _components([each for each in parameters if each.card is None], values)
    cards = sorted({each.card for each in parameters if each.card is not None})
    if cards:
        listed = [
            {"card_index": card, "components": _components([each for each in parameters if each.card == card], values)}
            for card in cards
        ]
        components.append({"type": "carousel", "cards": listed})
    return components


def numbered_body(values: Sequence[str]) -> tuple[tuple[Parameter, ...], dict[str, object]]:
    """The parameters of a body of which only the values are known, {{1}} first, and the values by key."""
    text = " ".join(f"{{{{{n}}}}}" for n in range(1, len(values) + 1))
    parameters = parameters_of([{"type": "BODY", "text": text}])
    return parameters, {each.key: value for each, value in zip(parameters, values, strict=True)}


def example_values(parameters: Sequence[Parameter]) -> dict[str, object]:
    """Meta's example of each required parameter, else a value of its kind."""
    return {each.key: _example(each) for each in parameters if each.required and not each.same_as}


def example_text(text: str, examples: Mapping[str, str]) -> str:
    """A text of the template with `examples` in place of its parameters, by name or number."""
    for name, example in examples.items():
        for written in (f"{{{{{name}}}}}", f"{{{{ {name} }}}}"):
            text = text.replace(written, example)
    return text


def _header_and_body(needs: Needs, parts: Sequence[Mapping[str, Any]], card: int | None) -> list[Parameter]:
    prefix = "" if card is None else f"cards.{card}."
    header, body = _part(parts, "HEADER"), _part(parts, "BODY")
    found = []
    kind = needs.header.lower()
    if header and kind in HEADER_KINDS:
        handles = _mapping(header.get("example")).get("header_handle")
        example = _first_text(handles) if kind in _FILES else ""
        found.append(Parameter(f"{prefix}header", Place.HEADER, kind, "Header", card=card, example=example))
    for place, part, wanted, room in (
        (Place.HEADER, header, needs.header_texts, needs.header_room),
        (Place.BODY, body, needs.body, needs.body_room),
    ):
        longest = min(room, MAX_CODE) if needs.is_code else room
        names = in_order(wanted)
        examples = text_examples(place, part, names)
        found += [
            Parameter(
                f"{prefix}{place}.{name}", place, "text", f"{{{{{name}}}}}", card=card, max_length=max(longest, 0),
                name="" if name.isdigit() else name, example=examples.get(name, ""),
            )
            for name in names
        ]  # fmt: skip
    return found


def _buttons(needs: Needs, parts: Sequence[Mapping[str, Any]], card: int | None, code: str) -> list[Parameter]:
    prefix = "" if card is None else f"cards.{card}."
    created = _mappings(_part(parts, "BUTTONS").get("buttons"))
    return [
        Parameter(
            f"{prefix}buttons.{index}", Place.BUTTON, _OF_BUTTON[button.sub_type],
            str(written.get("text") or button.kind), button.is_needed, card=card, button=index,
            sub_type=button.sub_type, example=button_example(written), same_as=code,
        )
        for index, (button, written) in enumerate(zip(needs.buttons, created, strict=True))
        if button.sub_type
    ]  # fmt: skip


def in_order(names: Sequence[str]) -> Sequence[str]:
    """Numbered parameters by number, in which order a send gives them; named ones as the text has them."""
    return sorted(names, key=int) if all(name.isdigit() for name in names) else names


def text_examples(place: Place, part: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Meta's examples of a text's parameters: a list for numbered ones, pairs for named ones."""
    given = _mapping(part.get("example"))
    named = _mappings(given.get(f"{place}_text_named_params"))
    if named:
        return {str(each.get("param_name", "")): str(each.get("example", "")) for each in named}
    listed = given.get(f"{place}_text")
    # Those of a body are a list in a list.
    if isinstance(listed, list) and listed and isinstance(listed[0], list):
        listed = listed[0]
    listed = [listed] if isinstance(listed, str) else listed
    return dict(zip(names, map(str, listed), strict=False)) if isinstance(listed, list) else {}


def button_example(button: Mapping[str, Any]) -> str:
    """The example of a button's parameter. Of a URL Meta has the whole address: the parameter is its end."""
    given = button.get("example")
    example = given if isinstance(given, str) else _first_text(given)
    fixed = str(button.get("url", "")).partition("{{")[0]
    return example.removeprefix(fixed) if fixed else example


def _components(parameters: Sequence[Parameter], values: Mapping[str, object]) -> list[dict[str, Any]]:
    found: dict[tuple[Place, int | None], dict[str, Any]] = {}
    for each in parameters:
        value = values.get(each.same_as or each.key)
        if value is None:
            continue
        component: dict[str, Any] = {"type": str(each.place), "parameters": []}
        if each.place is Place.BUTTON:
            component |= {"sub_type": each.sub_type, "index": each.button}
        written = found.setdefault((each.place, each.button), component)
        written["parameters"].append(_sent(each, value))
    return list(found.values())


def _sent(parameter: Parameter, value: object) -> dict[str, object]:
    content = {"link": value} if parameter.kind in _FILES and isinstance(value, str) else value
    named = {"parameter_name": parameter.name} if parameter.name else {}
    return {"type": parameter.kind, parameter.kind: content, **named}


def _example(parameter: Parameter) -> object:
    if parameter.kind == "text":
        return parameter.example or parameter.name or f"value {parameter.key.rpartition('.')[2]}"
    if parameter.kind == "action":
        return _ACTIONS.get(parameter.sub_type, {})
    return parameter.example or STAND_INS.get(parameter.kind, {})


def _part(parts: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    # As `needs_of` reads them: the last of a kind counts.
    return next((part for part in reversed(parts) if str(part.get("type", "")).upper() == kind), {})


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _first_text(value: object) -> str:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else ""
