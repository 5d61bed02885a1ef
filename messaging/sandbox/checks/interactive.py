"""Interactive messages: one check for each kind of them.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
"""

from __future__ import annotations

from collections.abc import Callable

from .files import check_file, check_filename
from .interactive_actions import (
    check_buttons,
    check_call,
    check_call_to_action,
    check_cards,
    check_catalog,
    check_country,
    check_flow,
    check_name_only,
    check_order,
    check_order_status,
    check_product,
    check_product_sections,
    check_row_sections,
)
from .params import Param

MAX_BODY = 1024
MAX_LIST_BODY = 4096
MAX_HEADER = 60
MAX_FOOTER = 60

_TEXT_ONLY = ("text",)
_ANY_HEADER = ("text", "image", "video", "document")
_NO_HEADER: tuple[str, ...] = ()
# Reply buttons, lists and links: the body is what the user reads, and must be there.
_BODY = frozenset({"body"})

# Each kind: the headers that it may have, the texts that it must have, and the check of its action.
_Kind = tuple[tuple[str, ...], frozenset[str], Callable[[Param], None]]
KINDS: dict[str, _Kind] = {
    "button": (_ANY_HEADER, _BODY, check_buttons),
    "list": (_TEXT_ONLY, _BODY, check_row_sections),
    "cta_url": (_ANY_HEADER, _BODY, check_call_to_action),
    "flow": (_ANY_HEADER, _BODY, check_flow),
    "product": (_NO_HEADER, frozenset(), check_product),
    "product_list": (_TEXT_ONLY, frozenset({"header", "body"}), check_product_sections),
    "catalog_message": (_NO_HEADER, _BODY, check_catalog),
    "carousel": (_NO_HEADER, _BODY, check_cards),
    "location_request_message": (_NO_HEADER, _BODY, check_name_only("send_location")),
    "address_message": (_NO_HEADER, _BODY, check_country),
    "order_details": (_ANY_HEADER, _BODY, check_order),
    "order_status": (_NO_HEADER, _BODY, check_order_status),
    "voice_call": (_NO_HEADER, _BODY, check_call),
    "call_permission_request": (_NO_HEADER, frozenset(), check_name_only("call_permission_request")),
    # Two names of one kind: Meta's pages have the first, a client of the API sends the second.
    "contact_request": (_NO_HEADER, _BODY, check_name_only("request_contact_info")),
    "request_contact_info": (_NO_HEADER, _BODY, check_name_only("request_contact_info")),
}


def check(node: Param) -> None:
    """``{"type", "header"?, "body"?, "footer"?, "action"}``."""
    node.check_object("type", "header", "body", "footer", "action")
    kind = node.need("type").one_of(*KINDS)
    headers, needed, check_action = KINDS[kind]
    action = node.need("action")
    for key in sorted(needed):
        node.need(key)
    if header := node.find("header"):
        if not headers:
            raise header.invalid(f"is not allowed for type '{kind}'")
        _check_header(header, headers)
    if body := node.find("body"):
        body.check_object("text").need("text").text(MAX_LIST_BODY if kind == "list" else MAX_BODY)
    if footer := node.find("footer"):
        footer.check_object("text").need("text").text(MAX_FOOTER)
    check_action(action)


def _check_header(header: Param, allowed: tuple[str, ...]) -> None:
    kind = header.need("type").one_of(*allowed)
    header.check_object("type", kind)
    content = header.need(kind)
    if kind == "text":
        content.line(MAX_HEADER)
    elif kind == "document":
        check_file(content, "filename")
        check_filename(content)
    else:
        check_file(content)
