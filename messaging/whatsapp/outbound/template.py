"""Templates: parameters are checked for what Meta never takes; the rest depends on how the template was created."""

import re
from collections.abc import Mapping

from messaging.whatsapp.outbound.checks import (
    UNSTATED,
    Data,
    InvalidContent,
    MissingContent,
    json_object,
    list_of,
    matching,
    obj,
    one_of,
    shown,
    text,
)

MAX_TEMPLATE_NAME = 512
# More than any template has parts; carousels have cards, not components.
_MAX_COMPONENTS = 100
# Longer than any language code of Meta's list; wrong ones are Meta's to refuse (132001).
_CODE = matching(r"[A-Za-z0-9_-]{2,32}", "must be a language code such as en_US")
_LANGUAGE = obj({"code": _CODE}, {"policy": one_of("deterministic")})
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes, 132018
_UNFIT = re.compile("[\n\r\t]| {5,}")
_NAME = matching(r"[a-z0-9_]+", "may have lower-case letters, digits and underscores only")


def _name(value: object, path: str) -> object:
    return _NAME(text(MAX_TEMPLATE_NAME)(value, path), path)


def _language(value: object, path: str) -> object:
    """A code; an object only where it says more than the code."""
    if not isinstance(value, Mapping):
        return _CODE(value, path)
    language = _LANGUAGE(value, path)
    return language["code"] if isinstance(language, dict) and language.keys() == {"code"} else language


def _component(value: object, path: str) -> object:
    """Any object whose text parameters Meta can take, in cards of a carousel as well."""
    component = json_object(value, path)
    _check_parameters(component, path)
    return component


def _check_parameters(component: object, path: str) -> None:
    if not isinstance(component, Mapping):
        return
    parameters = component.get("parameters")
    for index, parameter in enumerate(parameters if isinstance(parameters, list) else ()):
        if isinstance(parameter, Mapping) and parameter.get("type") == "text":
            _check_parameter(parameter.get("text"), f"{path}.parameters[{index}].text")
    cards = component.get("cards")
    for index, card in enumerate(cards if isinstance(cards, list) else ()):
        inner = card.get("components") if isinstance(card, Mapping) else None
        for number, one in enumerate(inner if isinstance(inner, list) else ()):
            _check_parameters(one, f"{path}.cards[{index}].components[{number}]")


def _check_parameter(value: object, path: str) -> None:
    if value is None:
        raise MissingContent(path)
    if not isinstance(value, str):  # a sample of Meta's has true here
        return
    shown(UNSTATED)(value, path)
    if _UNFIT.search(value):
        raise InvalidContent(path, "must have no line break, no tab and at most four spaces in a row")


validate = obj({"name": _name, "language": _language}, {"components": list_of(_component, _MAX_COMPONENTS, 0)})


def node(data: Data) -> Data:
    """Meta's."""
    language = data["language"]
    return data | {"language": language if isinstance(language, dict) else {"code": language}}
