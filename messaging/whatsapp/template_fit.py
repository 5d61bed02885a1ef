"""The fit of a send's parameters to its template: their count, types and names, and those of its buttons.

The form of a send is checked before (`outbound`). What a template needs is read once from its components, so that a
check costs microseconds.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.whatsapp.outbound.checks import InvalidContent

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_TEXTS = frozenset({"text", "currency", "date_time"})
_FILES = frozenset({"IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "PRODUCT"})
MAX_CODE = 15
# Of a text with its parameters. A body may be longer where the template has nothing else.
MAX_HEADER, MAX_BODY, MAX_BODY_ALONE = 60, 1024, 32_768
AUTHENTICATION = "AUTHENTICATION"
# The `sub_type` of a send for each type of button (empty: none), and whether a send must have it. Other types are not
# checked.
_BUTTONS: Mapping[str, tuple[str, bool]] = {
    "QUICK_REPLY": ("quick_reply", False),
    "URL": ("url", True),
    "COPY_CODE": ("copy_code", True),
    "OTP": ("url", True),
    "FLOW": ("flow", False),
    "CATALOG": ("catalog", False),
    "MPM": ("mpm", True),
    "ORDER_DETAILS": ("order_details", True),
    "VOICE_CALL": ("voice_call", False),
    "PHONE_NUMBER": ("", False),
}


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its type, and the `sub_type` of its parameter in a send (empty: takes none; None: not known).

    `is_needed`: whether a send must have it.
    """

    kind: str
    sub_type: str | None
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What a send must give. `header` is the format (TEXT, IMAGE …); `header_texts` and `body` are the parameters.

    `header_room` and `body_room`: the characters that all parameters of the text may have together. `cards`: the needs
    of each card of a carousel.
    """

    header: str
    header_texts: tuple[str, ...]
    header_room: int
    body: tuple[str, ...]
    body_room: int
    buttons: tuple[Button, ...]
    has_offer: bool = False
    is_code: bool = False
    cards: tuple["Needs", ...] = ()


def placeholders(text: object) -> tuple[str, ...]:
    """The names or numbers between double braces, each once, in the order of the text."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(text))) if isinstance(text, str) else ()


def needs_of(components: Sequence[Mapping[str, Any]], category: str = "") -> Needs:
    """What a template with these components, in Meta's form, needs of a send."""
    parts = {str(part.get("type", "")).upper(): part for part in components if isinstance(part, Mapping)}
    header = parts.get("HEADER", {})
    kind = str(header.get("format", "TEXT")).upper()
    cards = _mappings(parts.get("CAROUSEL", {}).get("cards"))
    return Needs(
        header=kind,
        header_texts=placeholders(header.get("text")) if kind == "TEXT" else (),
        header_room=_room(header.get("text"), MAX_HEADER),
        body=_body(parts.get("BODY", {}), category),
        body_room=_room(parts.get("BODY", {}).get("text"), MAX_BODY_ALONE if len(parts) == 1 else MAX_BODY),
        buttons=tuple(_button(each) for each in _mappings(parts.get("BUTTONS", {}).get("buttons"))),
        has_offer=_has_offer(parts.get("LIMITED_TIME_OFFER")),
        is_code=category.upper() == AUTHENTICATION,
        cards=tuple(needs_of(_mappings(card.get("components"))) for card in cards),
    )


def check_fit(needs: Needs, content: Mapping[str, Any]) -> None:
    """Check a template's `message_data`, which has passed the check of form. Raises InvalidContent with the place."""
    place = "message_data.components"
    parts = _Parts(content.get("components") or [], place)
    _check_parts(needs, parts)
    if needs.has_offer and "limited_time_offer" not in parts.by_kind:
        raise InvalidContent(place, "must have a limited_time_offer: the template has one")
    _check_cards(needs.cards, parts)
    if needs.is_code:
        _check_code(parts)


class _Parts:
    """The components of a send, with their places."""

    def __init__(self, components: Sequence[Mapping[str, Any]], place: str) -> None:
        self.place = place
        self.by_kind: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.buttons: dict[int, tuple[str, Mapping[str, Any]]] = {}
        for position, part in enumerate(components):
            kind, where = str(part.get("type", "")).lower(), f"{place}[{position}]"
            if kind == "button":
                self.buttons[int(part["index"])] = where, part
            else:
                self.by_kind[kind] = where, part

    def parameters(self, kind: str) -> tuple[str, Sequence[Mapping[str, Any]]]:
        """The place and the parameters of a component."""
        where, part = self.by_kind.get(kind, ("", {}))
        return (f"{where}.parameters" if where else self.place), part.get("parameters") or []


def _check_parts(needs: Needs, parts: _Parts) -> None:
    if needs.header == "TEXT":
        _check_texts("header", needs.header_texts, needs.header_room, *parts.parameters("header"))
    elif needs.header in _FILES:
        _check_file(needs.header, *parts.parameters("header"))
    _check_texts("body", needs.body, needs.body_room, *parts.parameters("body"))
    _check_buttons(needs.buttons, parts)


def _check_file(kind: str, place: str, parameters: Sequence[Mapping[str, Any]]) -> None:
    got = [str(parameter.get("type", "")).upper() for parameter in parameters]
    if got != [kind]:
        given = f"not {got[0].lower()}" if got else "it has none"
        raise InvalidContent(place, f"must have one header parameter of the type {kind.lower()}: {given}")


def _check_texts(
    part: str, wanted: tuple[str, ...], room: int, place: str, parameters: Sequence[Mapping[str, Any]]
) -> None:
    for position, parameter in enumerate(parameters):
        if str(parameter.get("type", "")).lower() not in _TEXTS:
            raise InvalidContent(f"{place}[{position}].type", f"must be text: the {part} of the template has a text")
    if len(parameters) != len(wanted):
        counted = "1 parameter" if len(wanted) == 1 else f"{len(wanted)} parameters"
        raise InvalidContent(place, f"must have {counted} for the {part}, not {len(parameters)}{_listed(wanted)}")
    if any(not name.isdigit() for name in wanted):
        _check_names(wanted, place, parameters)
    if sum(len(_text_of(parameter)) for parameter in parameters) > room:
        raise InvalidContent(
            place, f"must have at most {max(room, 0)} characters together: the {part} is too long else"
        )


def _check_names(wanted: tuple[str, ...], place: str, parameters: Sequence[Mapping[str, Any]]) -> None:
    missing = set(wanted)
    for position, parameter in enumerate(parameters):
        name = parameter.get("parameter_name")
        if name not in missing:
            reason = "is missing" if not name else "is not one of the template's, or comes twice"
            raise InvalidContent(f"{place}[{position}].parameter_name", f"{reason}{_listed(wanted)}")
        missing.discard(name)


def _listed(wanted: tuple[str, ...]) -> str:
    return f"; its parameters are {', '.join(wanted)}" if wanted and not wanted[0].isdigit() else ""


def _check_buttons(buttons: Sequence[Button], parts: _Parts) -> None:
    for index, (where, part) in parts.buttons.items():
        if index >= len(buttons):
            raise InvalidContent(f"{where}.index", f"must be below {len(buttons)}: the template has no such button")
        button = buttons[index]
        if button.sub_type is None:
            continue
        if str(part.get("sub_type", "")).lower() != button.sub_type:
            takes = f"takes {button.sub_type}" if button.sub_type else "takes no parameter"
            raise InvalidContent(f"{where}.sub_type", f"does not fit: button {index} is of type {button.kind}, {takes}")
        if button.is_needed and not part.get("parameters"):
            raise InvalidContent(f"{where}.parameters", f"must have a parameter: button {index} needs one")
    for index, button in enumerate(buttons):
        if button.is_needed and index not in parts.buttons:
            raise InvalidContent(
                parts.place,
                f"must have a button with index {index} and sub_type {button.sub_type}: it needs a parameter",
            )


def _check_cards(cards: Sequence[Needs], parts: _Parts) -> None:
    where, part = parts.by_kind.get("carousel", (parts.place, {}))
    sent = part.get("cards") or []
    if len(sent) != len(cards):
        raise InvalidContent(f"{where}.cards", f"must have {len(cards)} cards, not {len(sent)}")
    for position, card in enumerate(sent):
        index = int(card["card_index"])
        if index < len(cards):
            _check_parts(cards[index], _Parts(card.get("components") or [], f"{where}.cards[{position}].components"))


def _check_code(parts: _Parts) -> None:
    """The code is in the body and, once more, in the button that copies it."""
    place, parameters = parts.parameters("body")
    codes = {str(parameter.get("text", "")) for parameter in parameters}
    for where, part in parts.buttons.values():
        if any(str(parameter.get("text", "")) not in codes for parameter in part.get("parameters") or []):
            raise InvalidContent(f"{where}.parameters", "must repeat the code of the body")
    if any(len(code) > MAX_CODE for code in codes):
        raise InvalidContent(place, f"must have a code of at most {MAX_CODE} characters")


def _body(part: Mapping[str, Any], category: str) -> tuple[str, ...]:
    """Meta writes the text of an authentication template itself, around one parameter: the code."""
    if category.upper() == AUTHENTICATION and "text" not in part:
        return ("1",)
    return placeholders(part.get("text"))


def _button(button: Mapping[str, Any]) -> Button:
    kind = str(button.get("type", "")).upper()
    sub_type, is_needed = _BUTTONS.get(kind, (None, False))
    if kind == "URL" and not placeholders(button.get("url")):
        return Button(kind, "", False)
    return Button(kind, sub_type, is_needed)


def _room(text: object, longest: int) -> int:
    """What a text with placeholders leaves of its longest length."""
    return longest - len(PLACEHOLDER.sub("", text)) if isinstance(text, str) else longest


def _has_offer(part: Mapping[str, Any] | None) -> bool:
    """Whether a send must say when the offer ends."""
    offer = {} if part is None else part.get("limited_time_offer")
    return part is not None and not (isinstance(offer, Mapping) and offer.get("has_expiration") is False)


def _text_of(parameter: Mapping[str, Any]) -> str:
    content = parameter.get(str(parameter.get("type", "")).lower())
    return str(content.get("fallback_value", "")) if isinstance(content, Mapping) else str(content or "")


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
