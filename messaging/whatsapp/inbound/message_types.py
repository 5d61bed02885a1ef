"""Types of inbound messages: one frozen dataclass each, with the content and the text that are stored of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

MEDIA_TYPES = ("image", "video", "audio", "voice", "document", "sticker")


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    body: str


@dataclass(frozen=True, slots=True)
class Media:
    """A file. `sha256` is base64; `voice`: recorded in WhatsApp; `url` is valid for minutes."""

    id: str
    mime_type: str | None
    sha256: str | None
    caption: str | None
    filename: str | None
    voice: bool | None
    animated: bool | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Location:
    """A location, in degrees."""

    latitude: float
    longitude: float
    name: str | None
    address: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class SharedContacts:
    """Contact cards as Meta writes them; since 2026 a card may lack its name."""

    contacts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ButtonReply:
    """A tap on a template's quick reply."""

    payload: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class InteractiveReply:
    """A reply button or list row that was chosen. `kind`: button_reply or list_reply."""

    kind: str
    id: str | None
    title: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class FlowReply:
    """What a flow sent back: any JSON value, None where `response_json` is no JSON or exceeds its limits."""

    kind: str
    name: str | None
    body: str | None
    response: Any
    response_json: str | None


@dataclass(frozen=True, slots=True)
class CallPermission:
    """The answer to a request to call. `response`: accept or reject."""

    kind: str
    response: str
    expires_at: datetime | None
    response_source: str | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on a message; without one, the reaction was removed."""

    message_id: str
    emoji: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A cart. Each item is as Meta writes it: product_retailer_id, quantity, item_price, currency."""

    catalog_id: str | None
    text: str | None
    product_items: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class System:
    """Something about the user: `kind` user_changed_number, user_changed_user_id, customer_identity_changed, ..."""

    kind: str | None
    body: str | None
    phone: str | None
    user_id: str | None
    parent_user_id: str | None
    previous_user_id: str | None


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A message whose content Meta does not deliver; 131060 is often the first one after a click on an ad."""

    code: int | None
    title: str | None
    details: str | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of an earlier message; `content` is the new node, unchanged."""

    original_message_id: str
    type: str | None
    text: str | None
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Revoke:
    """A message was deleted for everyone."""

    original_message_id: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """The user opened the chat for the first time, and has not written yet."""


Details = (
    Text | Media | Location | SharedContacts | ButtonReply | InteractiveReply | FlowReply | CallPermission | Reaction
    | Order | System | Unsupported | Edit | Revoke | Welcome
)  # fmt: skip


def content_of(raw: Mapping[str, Any], given_type: str, details: Details | None) -> dict[str, Any]:
    """The content to store: the known fields that have a value, or else the unchanged node; and the fields beside it.

    Beside: `context`, `referral`, `errors` and `group_id`, as Meta writes them.
    """
    if details is None:
        node = raw.get(given_type, {})
        content = dict(node) if isinstance(node, dict) else {given_type: node}
    else:
        content = {name: held for name, held in asdict(details).items() if held is not None}
        if isinstance(content.get("expires_at"), datetime):
            content["expires_at"] = content["expires_at"].isoformat()
    beside = {name: raw[name] for name in ("context", "referral", "errors", "group_id") if raw.get(name)}
    return {**content, **beside}


def text_of(  # noqa: PLR0911 - a table of types, one line each
    details: Details | None, content: Mapping[str, Any]
) -> str | None:
    """The text of a message for lists and search."""
    match details:
        case Text(body):
            return body
        case ButtonReply(payload, text):
            return text or payload
        case InteractiveReply(title=title):
            return title
        case Reaction(emoji=emoji):
            return emoji
        case Location(name=name, address=address):
            return name or address
        case System(body=body) | FlowReply(body=body):
            return body
        case Order(text=text) | Edit(text=text):
            return text
        case _:
            caption = content.get("caption")
            return caption if isinstance(caption, str) else None
