"""Checks that the parameters of a send fit the template: their number, types, names and lengths."""

from __future__ import annotations

from typing import Any

from .. import graph_errors
from ..checks.template_parameters import parameter_issue
from ..graph_errors import GraphError, invalid_parameter, missing_parameter
from .store import Category, Template, placeholders

JSON = dict[str, Any]
COUNT_MISMATCH, TEXT_TOO_LONG, FORMAT_MISMATCH = 132000, 132005, 132012
MAX_HEADER_TEXT = 60
# A body may be longer where the template has nothing else.
MAX_BODY, MAX_BODY_ALONE = 1024, 32_768
MAX_CODE = 15
_TEXTS = frozenset({"text", "currency", "date_time"})
# The parameter of a send for each type of button, and whether a send must have it.
_BUTTONS: dict[str, tuple[str, bool]] = {
    "QUICK_REPLY": ("quick_reply", False),
    "URL": ("url", True),
    "COPY_CODE": ("copy_code", True),
    "OTP": ("url", True),
    "FLOW": ("flow", False),
    "CATALOG": ("catalog", False),
    "MPM": ("mpm", True),
    "ORDER_DETAILS": ("order_details", True),
    "VOICE_CALL": ("voice_call", False),
}


def check_fit(template: Template, components: list[JSON]) -> None:
    """Raises GraphError for the first component that does not fit. The components have passed the check of form."""
    _check_parts(template.components, components, "")
    offer, sent = template.component("LIMITED_TIME_OFFER"), _part(components, "limited_time_offer")
    if offer and not sent:
        raise missing_parameter("limited_time_offer: Template requires a limited_time_offer component")
    if sent and not offer:
        raise _mismatch("limited_time_offer: Template has no limited_time_offer component")
    _check_cards(template.component("CAROUSEL").get("cards", []), components)
    if template.category is Category.AUTHENTICATION:
        _check_code(components)


def _check_parts(created: Any, components: list[JSON], place: str) -> None:
    by_kind = {part["type"]: part for part in created}
    _check_header(by_kind.get("HEADER", {}), _part(components, "header"), place)
    body = by_kind.get("BODY", {})
    longest = MAX_BODY_ALONE if len(by_kind) == 1 else MAX_BODY
    _check_texts("body", body.get("text", ""), _part(components, "body"), longest, place)
    _check_buttons(by_kind.get("BUTTONS", {}).get("buttons", []), components, place)


def _check_header(created: JSON, sent: JSON, place: str) -> None:
    kind = created.get("format", "TEXT")
    if kind == "TEXT":
        _check_texts("header", created.get("text", ""), sent, MAX_HEADER_TEXT, place)
        return
    parameters = sent.get("parameters") or []
    got = str(parameters[0]["type"]).upper() if parameters else "UNKNOWN"
    if len(parameters) != 1 or got != kind:
        raise _mismatch(f"{place}header: Format mismatch, expected {kind}, received {got}")


def _check_texts(name: str, text: str, sent: JSON, longest: int, place: str) -> None:
    wanted, parameters = placeholders(text), sent.get("parameters") or []
    for parameter in parameters:
        if str(parameter["type"]).lower() not in _TEXTS:
            got = str(parameter["type"]).upper()
            raise _mismatch(f"{place}{name}: Format mismatch, expected TEXT, received {got}")
    if len(parameters) != len(wanted):
        details = (
            f"{place}{name}: number of localizable_params ({len(parameters)}) does not match the expected number of "
            f"params ({len(wanted)})"
        )
        raise graph_errors.of_code(COUNT_MISMATCH, details=details)
    if named := [each for each in wanted if not each.isdigit()]:
        _check_names(named, parameters)
    length = len(text) + sum(len(_text_of(parameter)) for parameter in parameters)
    if length - sum(len(each) + 4 for each in wanted) > longest:
        details = f"{place}{name}: text is longer than {longest} characters with its parameters"
        raise graph_errors.of_code(TEXT_TOO_LONG, details=details)


def _check_names(wanted: list[str], parameters: list[JSON]) -> None:
    given = [parameter.get("parameter_name") for parameter in parameters]
    if not all(isinstance(name, str) and name for name in given):
        raise invalid_parameter("Parameter name is missing or empty")
    if sorted(map(str, given)) != sorted(wanted):
        raise invalid_parameter(f"Invalid parameter names, expected {', '.join(sorted(wanted))}")


def _check_buttons(created: list[JSON], components: list[JSON], place: str) -> None:
    sent = {
        int(component["index"]): component for component in components if str(component["type"]).lower() == "button"
    }
    for index, button in enumerate(created):
        given, kind = sent.pop(index, None), str(button.get("type"))
        sub_type, needed = _BUTTONS.get(kind, ("", False))
        if kind == "URL":
            needed = bool(placeholders(button.get("url")))
            sub_type = "url" if needed else ""
        if given is None:
            if needed:
                raise missing_parameter(f"{place}buttons: Button at index {index} of type {kind} requires a parameter")
        elif str(given["sub_type"]).lower() != sub_type:
            raise _mismatch(f"{place}buttons: Button at index {index} of type {kind} takes no {given['sub_type']}")
        elif len(given.get("parameters") or []) != 1 and needed:
            raise graph_errors.of_code(COUNT_MISMATCH, details=f"{place}buttons: Button at index {index} needs one")
    if sent:
        raise parameter_issue(f"{place}buttons: Template has no button at index {min(sent)}")


def _check_cards(created: list[JSON], components: list[JSON]) -> None:
    sent = _part(components, "carousel").get("cards", [])
    if len(sent) != len(created):
        details = f"carousel: number of cards ({len(sent)}) does not match the expected number ({len(created)})"
        raise graph_errors.of_code(COUNT_MISMATCH, details=details)
    in_order = sorted(sent, key=lambda card: int(card["card_index"]))
    for index, (card, given) in enumerate(zip(created, in_order, strict=True)):
        _check_parts(card["components"], given["components"], f"carousel card {index} ")


def _check_code(components: list[JSON]) -> None:
    """The code is in the body and, once more, in the button that copies it."""
    codes = {
        _text_of(parameter)
        for component in components
        if str(component["type"]).lower() in {"body", "button"}
        for parameter in component.get("parameters") or []
    }
    if len(codes) > 1:
        raise parameter_issue("buttons: The code of the button must equal the code of the body")
    if any(len(code) > MAX_CODE for code in codes):
        raise parameter_issue(f"body: The code must have at most {MAX_CODE} characters")


def _part(components: list[JSON], kind: str) -> JSON:
    return next((each for each in components if str(each["type"]).lower() == kind), {})


def _text_of(parameter: JSON) -> str:
    content = parameter.get(str(parameter["type"]).lower())
    return str(content.get("fallback_value", "")) if isinstance(content, dict) else str(content or "")


def _mismatch(details: str) -> GraphError:
    return graph_errors.of_code(FORMAT_MISMATCH, details=details)
