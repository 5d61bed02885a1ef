"""Message summaries, for chats and lists. Meta's JSON may have any form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from messaging.models import Message
from messaging.whatsapp.inbound.message_types import MEDIA_TYPES

LABELS = {
    "button": "Tapped a button",
    "contacts": "Contact card",
    "location": "Location",
    "order": "Order",
    "unsupported": "Not supported by the Cloud API",
    "request_welcome": "Opened the chat",
    "call_permission_reply": "Answer to a request to call",
}
CHOICES = {
    "button_reply": "Tapped a button",
    "list_reply": "Chose from a list",
    "nfm_reply": "Sent a form",
    "call_permission_reply": "Answer to a request to call",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """`label`: the type of message, empty for plain text. `lines`: its details."""

    text: str
    label: str = ""
    lines: tuple[str, ...] = ()


def summarize(message: Message) -> Summary:
    """The summary by message type; unknown types show their name and text."""
    content = message.content if isinstance(message.content, dict) else {}
    kind = message.type
    if kind == "text" or message.content_deleted_at is not None:
        return Summary(message.text, _deletion(message))
    if kind == "template":
        label = f"Template {content.get('name') or message.template} ({content.get('language', '')})"
        return Summary(message.text, label, tuple(_parameters(content)))
    if kind in MEDIA_TYPES:
        return Summary(message.text, kind.capitalize(), tuple(_texts(content, "filename")))
    if kind == "interactive":
        label = CHOICES.get(str(content.get("kind")), "Interactive message")
        lines = (*_texts(content, "description"), *_interactive(content))
        return Summary(message.text, label, tuple(line for line in lines if line != message.text))
    if kind in _DETAILS:
        return Summary(message.text, LABELS[kind], tuple(_DETAILS[kind](content)))
    return Summary(message.text, LABELS.get(kind, kind.replace("_", " ").capitalize()))


def _deletion(message: Message) -> str:
    at = message.content_deleted_at
    return f"{message.type.capitalize()}, whose content was deleted on {at:%Y-%m-%d}" if at is not None else ""


def preview(message: Message, max_length: int = 90) -> str:
    """The summary in one line of at most `max_length` characters."""
    summary = summarize(message)
    if message.type == "reaction":
        return f"Reacted {message.text}" if message.text else "Removed a reaction"
    line = ": ".join(part for part in (summary.label, summary.text or " · ".join(summary.lines)) if part)
    line = " ".join(line.split())
    return line if len(line) <= max_length else line[: max_length - 1] + "…"


def _texts(content: Mapping[str, Any], *names: str) -> Iterator[str]:
    yield from (str(content[name]) for name in names if isinstance(content.get(name), str | int | float))


def _nodes(value: object) -> list[dict[str, Any]]:
    return [node for node in value if isinstance(node, dict)] if isinstance(value, list | tuple) else []


def _parameters(content: Mapping[str, Any]) -> Iterator[str]:
    for component in _nodes(content.get("components")):
        where = str(component.get("type", ""))
        for parameter in _nodes(component.get("parameters")):
            kind = str(parameter.get("type", "text"))
            node = parameter.get(kind)
            value = node if isinstance(node, str) else _readable_value(node) or kind
            name = parameter.get("parameter_name")
            yield f"{where} {name}: {value}" if name else f"{where}: {value}"


def _readable_value(node: object) -> str:
    """The readable value of a currency, a date or a file."""
    if not isinstance(node, dict):
        return ""
    return next(_texts(node, "fallback_value", "filename", "link", "id"), "")


def _interactive(content: Mapping[str, Any]) -> Iterator[str]:
    """The body and the buttons of an interactive message that the business sent."""
    body, action = content.get("body"), content.get("action")
    if isinstance(body, dict):
        yield from _texts(body, "text")
    if not isinstance(action, dict):
        return
    yield from (f"[{title}]" for title in _texts(action, "button"))
    for button in _nodes(action.get("buttons")):
        reply = button.get("reply")
        if isinstance(reply, dict):
            yield from (f"[{title}]" for title in _texts(reply, "title"))
    for section in _nodes(action.get("sections")):
        for row in _nodes(section.get("rows")):
            yield from (f"• {title}" for title in _texts(row, "title"))
    parameters = action.get("parameters")
    if isinstance(parameters, dict):
        yield from (f"[{title}]" for title in _texts(parameters, "display_text", "flow_cta"))


def _location(content: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(content, "address")
    yield ", ".join(_texts(content, "latitude", "longitude"))


def _cards(content: Mapping[str, Any]) -> Iterator[str]:
    for card in _nodes(content.get("contacts")):
        name = card.get("name")
        phones = [number for phone in _nodes(card.get("phones")) for number in _texts(phone, "phone")]
        names = list(_texts(name, "formatted_name")) if isinstance(name, dict) else []
        yield " ".join([*names, *phones]) or "without a name"


def _order(content: Mapping[str, Any]) -> Iterator[str]:
    for item in _nodes(content.get("product_items")):
        quantity, product = (next(_texts(item, name), "?") for name in ("quantity", "product_retailer_id"))
        price = " ".join(_texts(item, "item_price", "currency"))
        yield f"{quantity} x {product} at {price}"


def _unsupported(content: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(content, "title", "details")


_DETAILS = {
    "location": _location,
    "contacts": _cards,
    "order": _order,
    "unsupported": _unsupported,
}
