"""Template messages, by their form; whether they fit the template that was created, `templates/fit.py` decides.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph_errors import invalid_parameter
from .params import Param, check_distinct
from .template_parameters import HEADER_TYPES, TEXT_TYPES, check_parameter, lower, parameter_issue

MAX_NAME = 512
# More than any template has parts; carousels have cards, not components.
MAX_COMPONENTS = 100
MAX_PARAMETERS = 100
MAX_BUTTONS = 10
MIN_CARDS, MAX_CARDS = 2, 10

# Of each sub_type: the types of its parameters, and how many it has at least and at most.
_BUTTONS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "quick_reply": (("payload", "text"), 0, 1),
    "url": (("text", "payload"), 1, 1),
    "copy_code": (("coupon_code",), 1, 1),
    "flow": (("action",), 0, 1),
    "catalog": (("action",), 0, 1),
    "mpm": (("action",), 1, 1),
    "order_details": (("action",), 1, 1),
    "voice_call": (("payload", "text", "ttl_minutes"), 0, 2),
}


def check(node: Param) -> None:
    """``{"name", "language": {"code", "policy"?}, "components"?: [...]}``."""
    node.check_object("name", "language", "components", "namespace")
    name = node.need("name")
    if len(name.text()) > MAX_NAME:
        raise name.invalid(f"must have 1 to {MAX_NAME} characters")
    name.matching(r"[a-z0-9_]+", "must have lower-case letters, digits and underscores only")
    language = node.need("language").check_object("code", "policy")
    language.need("code").matching(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?", "must be a language code such as en_US")
    if policy := language.find("policy"):
        policy.one_of("deterministic")
    if components := node.find("components"):
        _check_components(components.elements(0, MAX_COMPONENTS), ("header", "body", "footer", *_OTHERS))


def _check_components(components: list[Param], allowed: tuple[str, ...]) -> None:
    for component in components:
        kind = lower(component.need("type")).one_of(*allowed)
        _COMPONENTS[kind](component)
    # There may be one of each; of buttons, one with each index.
    check_distinct([Param(_place_of(component.value), component.path) for component in components])
    _check_names(components)


def _check_names(components: list[Param]) -> None:
    """A template has named variables or numbered ones, and its header and body share that choice."""
    names = []
    for component in components:
        if _kind(component.value) in {"header", "body"}:
            texts = [each for each in _parameters(component) if _kind(each.value) in TEXT_TYPES]
            given = [Param(each.value.get("parameter_name"), f"{each.path}['parameter_name']") for each in texts]
            names += given
            if len(named := [name.value for name in given if name.value is not None]) > len(set(named)):
                raise component.invalid("has two parameters of one name")
    if {name.value is None for name in names} == {True, False}:
        raise invalid_parameter("Parameter name is missing or empty")


def _check_header(component: Param) -> None:
    component.check_object("type", "parameters")
    for parameter in _parameters(component, most=1):
        check_parameter(parameter, HEADER_TYPES)


def _check_body(component: Param) -> None:
    component.check_object("type", "parameters")
    for parameter in _parameters(component):
        check_parameter(parameter, TEXT_TYPES)


def _check_footer(component: Param) -> None:
    component.check_object("type", "parameters")
    _parameters(component, most=0)


def _check_button(component: Param) -> None:
    component.check_object("type", "sub_type", "index", "parameters")
    kind = lower(component.need("sub_type")).one_of(*_BUTTONS)
    component.need("index").whole(0, MAX_BUTTONS - 1)
    types, least, most = _BUTTONS[kind]
    parameters = _parameters(component, most=most)
    if len(parameters) < least:
        raise parameter_issue(f"Param {component.path}: a button of type {kind} requires a parameter")
    for parameter in parameters:
        check_parameter(parameter, types, kind)


def _check_carousel(component: Param) -> None:
    cards = component.check_object("type", "cards").need("cards").elements(MIN_CARDS, MAX_CARDS)
    for card in cards:
        card.check_object("card_index", "components").need("card_index").whole(0, MAX_CARDS - 1)
        _check_components(card.need("components").elements(0, MAX_COMPONENTS), ("header", "body", "button"))
    if sorted(int(card.value["card_index"]) for card in cards) != list(range(len(cards))):
        raise component.unusable("must have cards with each card_index from 0 on")
    for card in cards[1:]:
        if _build_of(card) != _build_of(cards[0]):
            raise card.unusable("must have the header and buttons that the other cards have")


def _check_offer(component: Param) -> None:
    component.check_object("type", "parameters")
    for parameter in component.need("parameters").elements(1, 1):
        check_parameter(parameter, ("limited_time_offer",))


def _build_of(card: Param) -> set[str]:
    """The kind of a card's header and of each button. Its body has no parameters where its text has no variables."""
    build = set()
    for component in card.value["components"]:
        if _kind(component) == "header":
            build |= {f"header {_kind(parameter)}" for parameter in component.get("parameters") or []}
        elif _kind(component) == "button":
            build.add(f"{_place_of(component)} {component['sub_type'].lower()}")
    return build


def _place_of(component: dict[str, Any]) -> str:
    kind = _kind(component)
    return f"button {int(component['index'])}" if kind == "button" else kind


def _kind(node: dict[str, Any]) -> str:
    return str(node["type"]).lower()


def _parameters(component: Param, most: int = MAX_PARAMETERS) -> list[Param]:
    given = component.find("parameters")
    return given.elements(0, most) if given else []


_COMPONENTS: dict[str, Callable[[Param], None]] = {
    "header": _check_header,
    "body": _check_body,
    "footer": _check_footer,
    "button": _check_button,
    "carousel": _check_carousel,
    "limited_time_offer": _check_offer,
}
_OTHERS = ("button", "carousel", "limited_time_offer")
