"""The parameters of a template's components: one check for each type of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..graph_errors import GraphError, missing_parameter, of_code
from .files import check_file, check_filename
from .interactive_actions import MAX_PRODUCTS, MAX_SECTION_TITLE, MAX_SECTIONS
from .params import Param, found

PARAMETER_ISSUE = 132018
# Of a template that has a body and nothing else.
MAX_TEXT = 32_768
MAX_TIMESTAMP_MS = 10**14
MAX_CALL_MINUTES = 43_200
TEXT_TYPES = ("text", "currency", "date_time")
HEADER_TYPES = (*TEXT_TYPES, "image", "video", "document", "location", "product")

_FORBIDDEN_SPACE = re.compile(r"[\n\r\t\v\f\u0085\u2028\u2029]| {5,}")
_DATE_KEYS = ("day_of_week", "year", "month", "day_of_month", "hour", "minute", "calendar", "component", "timestamp")


def check_parameter(parameter: Param, allowed: tuple[str, ...], sub_type: str = "") -> None:
    """A parameter of one of these types; ``sub_type`` is that of the button which has it."""
    kind = lower(parameter.need("type")).one_of(*allowed)
    parameter.check_object("type", kind, *(("parameter_name",) if kind in TEXT_TYPES and not sub_type else ()))
    content = parameter.find(kind)
    if content is None:
        raise missing_parameter(f"Param {parameter.path}: Parameter of type {kind} is missing {kind} value")
    if name := parameter.find("parameter_name"):
        name.matching("[A-Za-z0-9_]{1,512}", "must have letters, digits and underscores only")
    if sub_type == "quick_reply" and kind == "text" and isinstance(content.value, bool):
        return  # Meta's own example has it
    check = _ACTIONS[sub_type] if kind == "action" else _CONTENTS[kind]
    check(content)


def parameter_issue(details: str) -> GraphError:
    """Code 132018: a parameter that the template's check refuses."""
    return of_code(PARAMETER_ISSUE, details=details)


def lower(param: Param) -> Param:
    """Meta takes the types of components, parameters and buttons in upper case too."""
    return Param(param.text().lower(), param.path)


def _check_text(content: Param) -> None:
    if not isinstance(content.value, str):
        raise content.invalid("must be a string")
    if content.is_blank():
        raise missing_parameter(f"Param {content.path}: Parameter of type text is missing text value")
    if len(content.value) > MAX_TEXT:
        raise content.invalid(f"must have at most {MAX_TEXT} characters")
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
    for part in found(content, "name", "address"):
        part.text(least=0)


def _check_product(content: Param) -> None:
    content.check_object("product_retailer_id", "catalog_id")
    for value in (content.need("product_retailer_id"), *found(content, "catalog_id")):
        value.text()


def _check_expiration(content: Param) -> None:
    content.check_object("expiration_time_ms").need("expiration_time_ms").whole(0, MAX_TIMESTAMP_MS)


def _check_minutes(content: Param) -> None:
    content.whole(1, MAX_CALL_MINUTES)


def _check_payload(content: Param) -> None:
    content.text()


def _check_flow(content: Param) -> None:
    content.check_object("flow_token", "flow_action_data")
    if token := content.find("flow_token"):
        token.text()
    if data := content.find("flow_action_data"):
        data.need_object()


def _check_catalog(content: Param) -> None:
    content.check_object("thumbnail_product_retailer_id")
    for thumbnail in found(content, "thumbnail_product_retailer_id"):
        thumbnail.text()


def _check_products(content: Param) -> None:
    content.check_object("thumbnail_product_retailer_id", "sections")
    for thumbnail in found(content, "thumbnail_product_retailer_id"):
        thumbnail.text()
    for section in content.need("sections").elements(1, MAX_SECTIONS):
        section.check_object("title", "product_items").need("title").line(MAX_SECTION_TITLE)
        for item in section.need("product_items").elements(1, MAX_PRODUCTS):
            item.check_object("product_retailer_id").need("product_retailer_id").text()


def _check_order(content: Param) -> None:
    content.check_object("order_details").need("order_details").need_object()


_CONTENTS: dict[str, Callable[[Param], None]] = {
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
    "limited_time_offer": _check_expiration,
    "ttl_minutes": _check_minutes,
}
# An action holds what its button needs.
_ACTIONS: dict[str, Callable[[Param], None]] = {
    "flow": _check_flow,
    "catalog": _check_catalog,
    "mpm": _check_products,
    "order_details": _check_order,
}
