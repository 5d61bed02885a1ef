"""Readers of inbound messages: from the untrusted JSON of a type to its dataclass.

A reader gives None where the node under the type has not the shape that is known; the message then keeps the node as
it came. https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Callable, Mapping
from typing import Any

from messaging.whatsapp.inbound import fields
from messaging.whatsapp.inbound.message_types import (
    MEDIA_TYPES,
    ButtonReply,
    CallPermission,
    Details,
    Edit,
    FlowReply,
    InteractiveReply,
    Location,
    Media,
    Order,
    Reaction,
    Revoke,
    SharedContacts,
    System,
    Text,
    Unsupported,
    Welcome,
)
from messaging.whatsapp.json_text import FLOW_RESPONSE, value_of
from messaging.whatsapp.storable import storable

_LONG = 4096
_MAX_DEGREES = 180


def read(raw: Mapping[str, Any], given_type: str) -> Details | None:
    """The content of a message; None where its type or structure is unknown."""
    reader = _READERS.get(given_type)
    return reader(raw) if reader else None


def _text(raw: Mapping[str, Any]) -> Text | None:
    body = fields.node(raw, "text").get("body")
    return Text(body) if isinstance(body, str) else None


def _media(kind: str) -> Callable[[Mapping[str, Any]], Media | None]:
    def reader(raw: Mapping[str, Any]) -> Media | None:
        node = fields.node(raw, kind)
        media_id = fields.text(node, "id", longest=_LONG)
        if media_id is None:
            return None
        return Media(
            id=media_id,
            mime_type=fields.text(node, "mime_type"),
            sha256=fields.text(node, "sha256"),
            caption=_string(node, "caption"),
            filename=_string(node, "filename"),
            voice=_flag(node, "voice"),
            animated=_flag(node, "animated"),
            url=_string(node, "url"),
        )

    return reader


def _location(raw: Mapping[str, Any]) -> Location | None:
    node = fields.node(raw, "location")
    latitude, longitude = _degrees(node, "latitude"), _degrees(node, "longitude")
    if latitude is None or longitude is None:
        return None
    return Location(latitude, longitude, _string(node, "name"), _string(node, "address"), _string(node, "url"))


def _contacts(raw: Mapping[str, Any]) -> SharedContacts | None:
    cards = _objects(raw, "contacts")
    return SharedContacts(cards) if cards else None


def _button(raw: Mapping[str, Any]) -> ButtonReply | None:
    node = fields.node(raw, "button")
    payload, text = _string(node, "payload"), _string(node, "text")
    return ButtonReply(payload, text) if payload or text else None


def _interactive(raw: Mapping[str, Any]) -> InteractiveReply | FlowReply | CallPermission | None:
    node = fields.node(raw, "interactive")
    kind = node.get("type")
    if kind in ("button_reply", "list_reply"):
        reply = fields.node(node, kind)
        given = (_string(reply, "id"), _string(reply, "title"), _string(reply, "description"))
        return InteractiveReply(kind, *given) if any(given) else None
    if kind == "nfm_reply":
        reply = fields.node(node, kind)
        return FlowReply(kind, _string(reply, "name"), _string(reply, "body"), *_flow_response(reply))
    if kind == "call_permission_reply":
        reply = fields.node(node, kind)
        response = _string(reply, "response")
        if response is None:
            return None
        expires_at = fields.timestamp(reply, "expiration_timestamp")
        return CallPermission(kind, response, expires_at, _string(reply, "response_source"))
    return None


def _flow_response(reply: Mapping[str, Any]) -> tuple[Any, str | None]:
    given = reply.get("response_json")
    if not isinstance(given, str):
        return storable(given), None
    try:
        return storable(value_of(given, FLOW_RESPONSE)), given
    except ValueError:
        return None, given


def _reaction(raw: Mapping[str, Any]) -> Reaction | None:
    node = fields.node(raw, "reaction")
    target = fields.wamid(node, "message_id")
    return Reaction(target, _string(node, "emoji")) if target else None


def _order(raw: Mapping[str, Any]) -> Order | None:
    node = fields.node(raw, "order")
    items = _objects(node, "product_items")
    return Order(_string(node, "catalog_id"), _string(node, "text"), items) if items else None


def _system(raw: Mapping[str, Any]) -> System | None:
    node = fields.node(raw, "system")
    if not node:
        return None
    # Older payloads: `new_wa_id`, and before that `customer`.
    phones = (fields.phone(node, name) for name in ("wa_id", "new_wa_id", "customer"))
    return System(
        kind=_string(node, "type"),
        body=_string(node, "body"),
        phone=next((phone for phone in phones if phone), None),
        user_id=fields.user_id(node, "user_id", "wa_id"),
        parent_user_id=fields.user_id(node, "parent_user_id"),
        previous_user_id=fields.user_id(node, "previous_user_id"),
    )


def _unsupported(raw: Mapping[str, Any]) -> Unsupported:
    errors = _objects(raw, "errors")
    error = errors[0] if errors else {}
    code = error.get("code")
    return Unsupported(
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        title=_string(error, "title"),
        details=_string(fields.node(error, "error_data"), "details") or _string(error, "details"),
        kind=_string(fields.node(raw, "unsupported"), "type"),
    )


def _edit(raw: Mapping[str, Any]) -> Edit | None:
    node = fields.node(raw, "edit")
    target = fields.wamid(node, "original_message_id")
    if target is None:
        return None
    message = fields.node(node, "message")
    given_type = _string(message, "type")
    content = fields.node(message, given_type or "")
    return Edit(target, given_type, _string(content, "body") or _string(content, "caption"), content)


def _revoke(raw: Mapping[str, Any]) -> Revoke | None:
    target = fields.wamid(fields.node(raw, "revoke"), "original_message_id")
    return Revoke(target) if target else None


def _string(node: Mapping[str, Any], name: str) -> str | None:
    found = node.get(name)
    return found if isinstance(found, str) and found else None


def _flag(node: Mapping[str, Any], name: str) -> bool | None:
    found = node.get(name)
    return found if isinstance(found, bool) else None


def _degrees(node: Mapping[str, Any], name: str) -> float | None:
    found = node.get(name)
    return (
        found if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= _MAX_DEGREES else None
    )


def _objects(node: Mapping[str, Any], name: str) -> tuple[dict[str, Any], ...]:
    """A list of objects; empty if an element is not an object, so that the unchanged node is stored."""
    found = node.get(name)
    whole = isinstance(found, list) and all(isinstance(element, dict) for element in found)
    return tuple(found) if whole and isinstance(found, list) else ()


_READERS: dict[str, Callable[[Mapping[str, Any]], Details | None]] = {
    "text": _text,
    **{kind: _media(kind) for kind in MEDIA_TYPES},
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "reaction": _reaction,
    "order": _order,
    "system": _system,
    "unsupported": _unsupported,
    "unknown": _unsupported,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": lambda _: Welcome(),
}
