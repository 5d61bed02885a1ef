"""Interactive messages: one row for each kind, with Meta's limits, in characters.

A kind that has no row here is refused: what cannot be checked would fail at Meta, long after the answer to the client.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
"""

from collections.abc import Callable

from messaging.whatsapp.outbound.checks import (
    UNDOCUMENTED_MAX,
    Check,
    Data,
    InvalidContent,
    MissingContent,
    by_kind,
    check_distinct,
    exactly_one,
    json_object,
    link,
    list_of,
    matching,
    object_of,
    one_of,
    single_line,
    visible_text,
    whole_number,
    with_rule,
)
from messaging.whatsapp.outbound.media import FILE, NAMED_FILE

MAX_BODY = 1024
MAX_LIST_BODY = 4096
MAX_HEADER = 60
MAX_FOOTER = 60
MAX_BUTTON = 20
MAX_BUTTONS = 3
MAX_BUTTON_ID = 256
MAX_SECTIONS = 10
MAX_ROWS = 10
MAX_ROW_ID = 200
MAX_TITLE = 24
MAX_DESCRIPTION = 72
MAX_PRODUCTS = 30
MAX_CTA = 30
MIN_CARDS, MAX_CARDS = 2, 10
MAX_CALL_MINUTES = 43_200

_TEXT_HEADER = object_of({"type": one_of("text"), "text": single_line(MAX_HEADER)})
_ANY_HEADER = by_kind(
    {
        "text": _TEXT_HEADER,
        **{kind: object_of({"type": one_of(kind), kind: FILE}) for kind in ("image", "video")},
        "document": object_of({"type": one_of("document"), "document": NAMED_FILE}),
    }
)
_ID = visible_text(UNDOCUMENTED_MAX)
_MANY = 100


def _kind(
    action: Check, *, body: int = MAX_BODY, header: Check | None = None, needs: tuple[str, ...] = ("body",)
) -> Check:
    """An interactive node; it may have the header that is given, and must have what it `needs` of its three texts."""
    texts = {"body": object_of({"text": visible_text(body)}), "footer": object_of({"text": visible_text(MAX_FOOTER)})}
    if header is not None:
        texts["header"] = header
    required = {"type": _ID, "action": action, **{name: texts[name] for name in needs}}
    return object_of(required, {name: check for name, check in texts.items() if name not in needs})


def _named(name: str, parameters: Check | None = None, *, optional: bool = False) -> Check:
    """An action that says its name, with parameters where it has any."""
    given = {"parameters": parameters} if parameters else {}
    return object_of({"name": one_of(name), **({} if optional else given)}, given if optional else {})


def _sections(elements: str, most: int) -> Callable[[Data, str], None]:
    """The rule over all sections: this many elements in total, and titles once there are two."""

    def rule(action: Data, path: str) -> None:
        sections = action["sections"]
        if not isinstance(sections, list):
            return
        total = sum(len(section[elements]) for section in sections)
        if total > most:
            raise InvalidContent(f"{path}.sections", f"must have at most {most} {elements} in all, have {total}")
        for index, section in enumerate(sections):
            if len(sections) > 1 and not section.get("title"):
                raise MissingContent(f"{path}.sections[{index}].title")

    return rule


def _distinct_buttons(action: Data, path: str) -> None:
    """Meta refuses buttons with equal ids or titles."""
    buttons = action["buttons"]
    if isinstance(buttons, list):
        for name in ("id", "title"):
            at = [(f"{path}.buttons[{n}].reply.{name}", button["reply"][name]) for n, button in enumerate(buttons)]
            check_distinct(at, name)


def _distinct_rows(action: Data, path: str) -> None:
    """Meta refuses rows with equal ids, also in different sections."""
    sections = action["sections"]
    if isinstance(sections, list):
        check_distinct(
            [
                (f"{path}.sections[{n}].rows[{m}].id", row["id"])
                for n, section in enumerate(sections)
                for m, row in enumerate(section["rows"])
            ],
            "id",
        )


def _alike_cards(action: Data, path: str) -> None:
    """Cards are numbered from 0, and each holds the same as the first."""
    cards = action["cards"]
    if not isinstance(cards, list):
        return
    places = [(f"{path}.cards[{n}].card_index", int(str(card["card_index"]))) for n, card in enumerate(cards)]
    check_distinct(places, "index")
    for place, index in places:
        if index >= len(cards):
            raise InvalidContent(place, f"must be below the number of cards, {len(cards)}")
    for n, card in enumerate(cards):
        if _shape(card) != _shape(cards[0]):
            raise InvalidContent(f"{path}.cards[{n}]", "must have the same parts as the first card")


def _shape(card: Data) -> tuple[frozenset[str], object, object]:
    """What stands in a card: its keys, its type and the type of its header."""
    header = card.get("header")
    return frozenset(card), str(card.get("type")), str(header.get("type")) if isinstance(header, dict) else ""


_BUTTON = object_of(
    {"type": one_of("reply"), "reply": object_of({"id": visible_text(MAX_BUTTON_ID), "title": single_line(MAX_BUTTON)})}
)
_BUTTONS = with_rule(object_of({"buttons": list_of(_BUTTON, MAX_BUTTONS)}), _distinct_buttons)
_ROW = object_of(
    {"id": visible_text(MAX_ROW_ID), "title": single_line(MAX_TITLE)}, {"description": visible_text(MAX_DESCRIPTION)}
)
_ROWS = object_of({"rows": list_of(_ROW, MAX_ROWS)}, {"title": single_line(MAX_TITLE)})
_PRODUCTS = object_of(
    {"product_items": list_of(object_of({"product_retailer_id": _ID}), MAX_PRODUCTS)}, {"title": single_line(MAX_TITLE)}
)
_LIST = with_rule(
    with_rule(
        object_of({"button": single_line(MAX_BUTTON), "sections": list_of(_ROWS, MAX_SECTIONS)}),
        _sections("rows", MAX_ROWS),
    ),
    _distinct_rows,
)
_PRODUCT_LIST = with_rule(
    object_of({"catalog_id": _ID, "sections": list_of(_PRODUCTS, MAX_SECTIONS)}),
    _sections("product_items", MAX_PRODUCTS),
)
_FLOW = with_rule(
    object_of(
        {"flow_message_version": one_of("3"), "flow_cta": single_line(MAX_CTA)},
        {
            "flow_id": _ID,
            "flow_name": _ID,
            "flow_token": _ID,
            "flow_action": one_of("navigate", "data_exchange"),
            "flow_action_payload": object_of({"screen": _ID}, {"data": json_object}),
            "mode": one_of("draft", "published"),
        },
    ),
    exactly_one("flow_id", "flow_name"),
)
_URL = _named("cta_url", object_of({"display_text": single_line(MAX_BUTTON), "url": link}))
_THUMBNAIL = object_of({}, {"thumbnail_product_retailer_id": _ID})
_COUNTRY = matching("[A-Z]{2}", "must be a country code such as IN")
# The fields of an address differ by country.
_ADDRESS = object_of(
    {"country": _COUNTRY},
    {"values": json_object, "saved_addresses": list_of(json_object, _MANY, 0), "validation_errors": json_object},
)
# What a card holds differs by the kind of carousel.
_CARD = object_of({"card_index": whole_number(0, MAX_CARDS - 1)}, open_ended=True)
# What an order must say differs by country and changes with it: what is in it is left to Meta.
_ORDER = object_of({"reference_id": _ID, "order": json_object}, open_ended=True)
_CALL = object_of(
    {}, {"display_text": single_line(MAX_BUTTON), "ttl_minutes": whole_number(1, MAX_CALL_MINUTES), "payload": _ID}
)

KINDS: dict[str, Check] = {
    "button": _kind(_BUTTONS, header=_ANY_HEADER),
    "list": _kind(_LIST, body=MAX_LIST_BODY, header=_TEXT_HEADER),
    "cta_url": _kind(_URL, header=_ANY_HEADER),
    "flow": _kind(_named("flow", _FLOW), header=_ANY_HEADER),
    "product": _kind(object_of({"catalog_id": _ID, "product_retailer_id": _ID}), needs=()),
    "product_list": _kind(_PRODUCT_LIST, header=_TEXT_HEADER, needs=("header", "body")),
    "catalog_message": _kind(_named("catalog_message", _THUMBNAIL, optional=True)),
    "carousel": _kind(with_rule(object_of({"cards": list_of(_CARD, MAX_CARDS, MIN_CARDS)}), _alike_cards)),
    "location_request_message": _kind(_named("send_location")),
    "address_message": _kind(_named("address_message", _ADDRESS)),
    "order_details": _kind(_named("review_and_pay", _ORDER), header=_ANY_HEADER),
    "order_status": _kind(_named("review_order", _ORDER)),
    "voice_call": _kind(_named("voice_call", _CALL, optional=True)),
    "call_permission_request": _kind(_named("call_permission_request"), needs=()),
    # Two names of the same: Meta's pages have the first, clients of the API were seen to send the second.
    "contact_request": _kind(_named("request_contact_info")),
    "request_contact_info": _kind(_named("request_contact_info")),
}
validate = by_kind(KINDS)


def display_text(data: Data) -> str:
    """Its body, or else its header or footer."""
    texts = (data.get(name) for name in ("body", "header", "footer"))
    return next((str(given["text"]) for given in texts if isinstance(given, dict) and "text" in given), "")
