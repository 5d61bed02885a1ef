"""Template messages, by their form; whether they fit the template that was created, `template_fit.py` decides.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..graph_errors import GraphError, missing_parameter, of_code
from .files import check_file, check_filename
from .params import Param, check_distinct, found

MAX_NAME = 512
# More than any template has parts; carousels have cards, not components.
MAX_COMPONENTS = 100
MAX_PARAMETERS = 100
MAX_BUTTONS = 10
MIN_CARDS, MAX_CARDS = 2, 10
PARAMETER_ISSUE = 132018

_FORBIDDEN_SPACE = re.compile(r"[\n\r\t\v\f\u0085\u2028\u2029]| {5,}")
_TEXT_PARAMETERS = ("text", "currency", "date_time")
_HEADER_PARAMETERS = ("text", "currency", "date_time", "image", "video", "document", "location", "product")
_BUTTON_PARAMETERS: dict[str, tuple[str, ...]] = {
    "quick_reply": ("payload", "text"),
    "url": ("text", "payload"),
    "copy_code": ("coupon_code",),
    "flow": ("action",),
    "catalog": ("action",),
    "mpm": ("action",),
    "order_details": ("action",),
    "voice_call": ("payload", "text", "ttl_minutes"),
}
_DATE_KEYS = ("day_of_week", "year", "month", "day_of_month", "hour", "minute", "calendar", "component", "timestamp")
MAX_TIMESTAMP_MS = 10**14


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
        _lower(component.need("type")).one_of(*allowed)
        kind = str(component.value["type"]).lower()
        _COMPONENTS[kind](component)
    # There may be one of each; of buttons, one with each index.
    check_distinct([Param(_place_of(component.value), component.path) for component in components])


def _place_of(component: dict[str, Any]) -> str:
    kind = str(component["type"]).lower()
    return f"button {int(component['index'])}" if kind == "button" else kind


def _check_texts(component: Param) -> None:
    component.check_object("type", "parameters")
    for parameter in _parameters(component):
        _check_parameter(parameter, _TEXT_PARAMETERS)


def _check_header(component: Param) -> None:
    component.check_object("type", "parameters")
    for parameter in _parameters(component):
        _check_parameter(parameter, _HEADER_PARAMETERS)


def _check_button(component: Param) -> None:
    component.check_object("type", "sub_type", "index", "parameters")
    kind = _lower(component.need("sub_type")).one_of(*_BUTTON_PARAMETERS)
    component.need("index").whole(0, MAX_BUTTONS - 1)
    for parameter in _parameters(component):
        _check_parameter(parameter, _BUTTON_PARAMETERS[kind])


def _check_carousel(component: Param) -> None:
    cards = component.check_object("type", "cards").need("cards").elements(MIN_CARDS, MAX_CARDS)
    for position, card in enumerate(cards):
        index = card.check_object("card_index", "components").need("card_index")
        if index.whole(0, MAX_CARDS - 1) != position:
            raise index.unusable(f"must be {position}: cards are numbered from 0, in order")
        _check_components(card.need("components").elements(0, MAX_COMPONENTS), ("header", "body", "button"))


def _check_offer(component: Param) -> None:
    component.check_object("type", "parameters")
    for parameter in _parameters(component):
        _check_parameter(parameter, ("limited_time_offer",))


def _parameters(component: Param) -> list[Param]:
    given = component.find("parameters")
    return given.elements(0, MAX_PARAMETERS) if given else []


def _check_parameter(parameter: Param, allowed: tuple[str, ...]) -> None:
    kind = _lower(parameter.need("type")).one_of(*allowed)
    parameter.check_object("type", kind, "parameter_name")
    content = parameter.find(kind)
    if content is None:
        raise missing_parameter(f"Param {parameter.path}: Parameter of type {kind} is missing {kind} value")
    _PARAMETERS[kind](content)


def _check_text(content: Param) -> None:
    if not isinstance(content.value, str):
        raise content.invalid("must be a string")
    if not content.value.strip():
        raise missing_parameter(f"Param {content.path}: Parameter of type text is missing text value")
    if _FORBIDDEN_SPACE.search(content.value):
        raise parameter_issue(
            f"Param {content.path} cannot have new-line/tab characters or more than 4 consecutive spaces"
        )


def _check_currency(content: Param) -> None:
    content.check_object("fallback_value", "code", "amount_1000")
    _check_text(content.need("fallback_value"))
    content.need("code").matching("[A-Z]{3}", "must be an ISO currency code such as USD")
    content.need("amount_1000").whole(0, 10**15)


def _check_date_time(content: Param) -> None:
    _check_text(content.check_object("fallback_value", *_DATE_KEYS).need("fallback_value"))


def _check_document(content: Param) -> None:
    check_file(content, "filename")
    check_filename(content)


def _check_location(content: Param) -> None:
    content.check_object("latitude", "longitude", "name", "address")
    content.need("latitude").degrees(90)
    content.need("longitude").degrees(180)
    for words in found(content, "name", "address"):
        _check_text(words)


def _check_product(content: Param) -> None:
    content.check_object("product_retailer_id", "catalog_id")
    for value in (content.need("product_retailer_id"), *found(content, "catalog_id")):
        value.text()


def _check_action(content: Param) -> None:
    if not isinstance(content.value, dict):
        raise content.invalid("must be a JSON object")


def _check_expiration(content: Param) -> None:
    content.check_object("expiration_time_ms").need("expiration_time_ms").whole(0, MAX_TIMESTAMP_MS)


def _check_minutes(content: Param) -> None:
    content.whole(1, 43_200)


def _check_payload(content: Param) -> None:
    content.text()


def parameter_issue(details: str) -> GraphError:
    """Code 132018: a parameter that the template's check refuses."""
    return of_code(PARAMETER_ISSUE, details=details)


def _lower(param: Param) -> Param:
    """Meta takes the types of components and buttons in upper case too."""
    return Param(param.text().lower(), param.path)


_COMPONENTS: dict[str, Callable[[Param], None]] = {
    "header": _check_header,
    "body": _check_texts,
    "footer": _check_texts,
    "button": _check_button,
    "carousel": _check_carousel,
    "limited_time_offer": _check_offer,
}
_OTHERS = ("button", "carousel", "limited_time_offer")
_PARAMETERS: dict[str, Callable[[Param], None]] = {
    "text": _check_text,
    "payload": _check_payload,
    "coupon_code": _check_text,
    "currency": _check_currency,
    "date_time": _check_date_time,
    "image": check_file,
    "video": check_file,
    "document": _check_document,
    "location": _check_location,
    "product": _check_product,
    "action": _check_action,
    "limited_time_offer": _check_expiration,
    "ttl_minutes": _check_minutes,
}
