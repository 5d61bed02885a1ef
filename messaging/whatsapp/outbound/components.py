"""Components of a template message, by their form: which there may be, with which parameters.

How many parameters a template takes depends on how it was created: that is Meta's to check.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

import re
from collections.abc import Mapping, Sequence

from messaging.whatsapp.outbound.cards import LOCATION
from messaging.whatsapp.outbound.checks import (
    UNDOCUMENTED_MAX,
    Check,
    Data,
    InvalidContent,
    MissingContent,
    any_case,
    boolean,
    by_kind,
    check_distinct,
    json_object,
    json_value,
    list_of,
    matching,
    object_of,
    single_line,
    visible_text,
    whole_number,
    with_rule,
)
from messaging.whatsapp.outbound.media import FILE, NAMED_FILE

# More than any template has.
_MAX_COMPONENTS, _MAX_PARAMETERS = 100, 100
MAX_BUTTONS = 10
MIN_CARDS, MAX_CARDS = 2, 10
MAX_SECTIONS, MAX_PRODUCTS, MAX_SECTION_TITLE = 10, 30, 24
# Of a template that has a body alone; of others Meta takes 1,024 characters in all.
MAX_BODY = 32_768
_MAX_AMOUNT, _MAX_TIMESTAMP_MS, _MAX_MINUTES = 10**15, 10**14, 43_200
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes, 132018
_UNFIT = re.compile("[\n\r\t\v\f\x85\u2028\u2029]| {5,}")
_SHOWN, _ID = visible_text(MAX_BODY), visible_text(UNDOCUMENTED_MAX)


def _fitting_text(value: object, path: str) -> object:
    """A text that Meta puts into a template."""
    given = _SHOWN(value, path)
    if isinstance(given, str) and _UNFIT.search(given):
        raise InvalidContent(path, "must have no line break, no tab and at most four spaces in a row")
    return given


def _text_or_flag(value: object, path: str) -> object:
    """A quick reply's text; a sample of Meta's has true here."""
    return boolean(value, path) if isinstance(value, bool) else _fitting_text(value, path)


_NAME = {"parameter_name": matching(r"[A-Za-z0-9_]{1,512}", "must have letters, digits and underscores only")}
_CURRENCY = object_of(
    {
        "fallback_value": _fitting_text,
        "code": matching("[A-Z]{3}", "must be an ISO currency code such as USD"),
        "amount_1000": whole_number(0, _MAX_AMOUNT),
    }
)
_DATE_PARTS = ("day_of_week", "year", "month", "day_of_month", "hour", "minute", "calendar", "component", "timestamp")
_DATE_TIME = object_of({"fallback_value": _fitting_text}, dict.fromkeys(_DATE_PARTS, json_value))
_PRODUCT = object_of({"product_retailer_id": _ID}, {"catalog_id": _ID})
_OFFER = object_of({"expiration_time_ms": whole_number(0, _MAX_TIMESTAMP_MS)})
_THUMBNAIL = {"thumbnail_product_retailer_id": _ID}
_PRODUCTS = object_of(
    {
        "title": single_line(MAX_SECTION_TITLE),
        "product_items": list_of(object_of({"product_retailer_id": _ID}), MAX_PRODUCTS),
    }
)


def _parameter(kind: str, content: Check, named: Mapping[str, Check] | None = None) -> Check:
    return object_of({"type": any_case(kind), kind: content}, named)


_TEXTS = {
    kind: _parameter(kind, content, _NAME)
    for kind, content in {"text": _fitting_text, "currency": _CURRENCY, "date_time": _DATE_TIME}.items()
}
_HEADERS = _TEXTS | {
    kind: _parameter(kind, content)
    for kind, content in {
        "image": FILE,
        "video": FILE,
        "document": NAMED_FILE,
        "location": LOCATION,
        "product": _PRODUCT,
    }.items()
}


def _button(parameters: Mapping[str, Check], *, least: int = 0, most: int = 1) -> Check:
    """A button by its index; `least`: whether Meta needs something of each such button."""
    listed = {
        "parameters": list_of(
            by_kind({kind: _parameter(kind, content) for kind, content in parameters.items()}, any_case=True),
            most,
            least,
        )
    }
    required: dict[str, Check] = {
        "type": any_case("button"),
        "sub_type": _ID,
        "index": whole_number(0, MAX_BUTTONS - 1),
    }
    return object_of(required | (listed if least else {}), {} if least else listed)


_BUTTONS: dict[str, Check] = {
    "quick_reply": _button({"payload": _ID, "text": _text_or_flag}),
    "url": _button({"text": _fitting_text, "payload": _ID}, least=1),
    "copy_code": _button({"coupon_code": _fitting_text}, least=1),
    "flow": _button({"action": object_of({}, {"flow_token": _ID, "flow_action_data": json_object})}),
    "catalog": _button({"action": object_of({}, _THUMBNAIL)}),
    "mpm": _button({"action": object_of({"sections": list_of(_PRODUCTS, MAX_SECTIONS)}, _THUMBNAIL)}, least=1),
    "order_details": _button({"action": object_of({"order_details": json_object})}, least=1),
    "voice_call": _button(
        {"payload": _ID, "text": _fitting_text, "ttl_minutes": whole_number(1, _MAX_MINUTES)}, most=2
    ),
}
_COMPONENTS: dict[str, Check] = {
    "header": object_of({"type": any_case("header")}, {"parameters": list_of(by_kind(_HEADERS, any_case=True), 1, 0)}),
    "body": object_of(
        {"type": any_case("body")},
        {"parameters": list_of(by_kind(_TEXTS, any_case=True), _MAX_PARAMETERS, 0)},
    ),
    # A footer has no variables.
    "footer": object_of({"type": any_case("footer")}, {"parameters": list_of(json_value, 0, 0)}),
    "button": by_kind(_BUTTONS, key="sub_type", any_case=True),
    "limited_time_offer": object_of(
        {
            "type": any_case("limited_time_offer"),
            "parameters": list_of(_parameter("limited_time_offer", _OFFER), 1),
        }
    ),
}


def _components(kinds: Mapping[str, Check]) -> Check:
    listed = list_of(by_kind(kinds, any_case=True), _MAX_COMPONENTS, 0)

    def check(value: object, path: str) -> object:
        components = listed(value, path)
        if isinstance(components, list):
            _check_places(components, path)
            _check_names(components, path)
        return components

    return check


def _check_places(components: Sequence[Data], path: str) -> None:
    """There is one component of each type; of buttons, one for each index."""
    places: list[tuple[str, object]] = []
    for number, component in enumerate(components):
        kind = _kind(component)
        if kind == "button":
            places.append((f"{path}[{number}].index", int(str(component["index"]))))
        else:
            places.append((f"{path}[{number}]", kind))
    check_distinct(places, "place")


def _check_names(components: Sequence[Data], path: str) -> None:
    """A template's variables all have a name or all have none; in one component each name stands once."""
    variables = [
        (f"{path}[{number}].parameters[{at}].parameter_name", parameter.get("parameter_name"), number)
        for number, component in enumerate(components)
        for at, parameter in enumerate(_parameters(component))
        if _kind(component) in {"header", "body"} and _kind(parameter) in _TEXTS
    ]
    named = [variable for variable in variables if variable[1] is not None]
    for place, name, _ in variables if named else ():
        if name is None:
            raise MissingContent(place)
    for number in range(len(components)):
        check_distinct([(place, name) for place, name, at in named if at == number], "name")


def _check_cards(carousel: Data, path: str) -> None:
    """Cards are numbered from 0; as the template's cards are alike, so are their headers and buttons."""
    cards = carousel["cards"]
    if not isinstance(cards, list):
        return
    places = [(f"{path}.cards[{number}].card_index", int(str(card["card_index"]))) for number, card in enumerate(cards)]
    check_distinct(places, "index")
    for place, index in places:
        if index >= len(cards):
            raise InvalidContent(place, f"must be below the number of cards, {len(cards)}")
    for number, card in enumerate(cards):
        if _shape(card["components"]) != _shape(cards[0]["components"]):
            raise InvalidContent(
                f"{path}.cards[{number}].components", "must have the same header and buttons as the first card"
            )


def _shape(components: Sequence[Data]) -> list[tuple[str, str, str]]:
    """What stands in a card, but for its body, which takes no parameter where its text has no variable."""
    shape = []
    for component in components:
        kind = _kind(component)
        if kind == "header":
            shape += [(kind, "", _kind(parameter)) for parameter in _parameters(component)]
        elif kind == "button":
            shape.append((kind, str(int(str(component["index"]))), str(component["sub_type"]).lower()))
    return sorted(shape)


def _kind(node: Data) -> str:
    return str(node["type"]).lower()


def _parameters(component: Data) -> Sequence[Data]:
    listed = component.get("parameters")
    return listed if isinstance(listed, list) else ()


_CARD = object_of(
    {
        "card_index": whole_number(0, MAX_CARDS - 1),
        "components": _components({kind: _COMPONENTS[kind] for kind in ("header", "body", "button")}),
    }
)
_CAROUSEL = with_rule(
    object_of({"type": any_case("carousel"), "cards": list_of(_CARD, MAX_CARDS, MIN_CARDS)}), _check_cards
)
COMPONENTS = _components({**_COMPONENTS, "carousel": _CAROUSEL})
