"""Message types of sends: from the API's `message_type` and `message_data` to the body of a Cloud API send, and back.

Each type has one row in `_TYPES`; a module beside this one has the checks of each family.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from messaging.whatsapp.outbound import cards, interactive, media, template, text
from messaging.whatsapp.outbound.checks import Check, Data, InvalidContent, MissingContent
from messaging.whatsapp.recipients import is_bsuid, is_phone

__all__ = [
    "MESSAGE_TYPES",
    "REACTION",
    "TEMPLATE",
    "Data",
    "InvalidContent",
    "MissingContent",
    "build",
    "display_text",
    "validate",
]

MAX_CALLBACK_DATA = 512
REACTION = "reaction"
TEMPLATE = "template"


def _same(data: Data) -> object:
    return data


def _text_under(*names: str) -> Callable[[Data], str]:
    return lambda data: next((str(data[name]) for name in names if data.get(name)), "")


_FILE_TEXT = _text_under("caption", "filename")


@dataclass(frozen=True, slots=True)
class _Type:
    """`node` converts checked data to Meta's node; `text` stands for it in lists and search."""

    validate: Check
    text: Callable[[Data], str]
    node: Callable[[Data], object] = _same


_TYPES: dict[str, _Type] = {
    "text": _Type(text.validate, _text_under("content"), text.node),
    TEMPLATE: _Type(template.validate, lambda _: "", template.node),
    "image": _Type(media.IMAGE, _FILE_TEXT),
    "audio": _Type(media.AUDIO, _FILE_TEXT),
    "video": _Type(media.VIDEO, _FILE_TEXT),
    "document": _Type(media.DOCUMENT, _FILE_TEXT),
    "sticker": _Type(media.STICKER, _FILE_TEXT),
    "location": _Type(cards.LOCATION, _text_under("name", "address")),
    "contacts": _Type(cards.CONTACTS, cards.contact_names, lambda data: data["contacts"]),
    REACTION: _Type(cards.reaction, _text_under("emoji")),
    "interactive": _Type(interactive.validate, interactive.display_text),
}
MESSAGE_TYPES: tuple[str, ...] = tuple(sorted(_TYPES))


def validate(message_type: object, data: object) -> Data:
    """The normalised data of a message: Meta's node of the type, but for three of them.

    text: ``{"content": str, "preview_url"?: bool}``; Meta's `body` may stand for content.
    template: ``{"name": str, "language": str, "components"?: [object, …]}``; language may be ``{"code": str}``.
    contacts: ``{"contacts": [card, …]}``, where Meta has the list alone.

    Raises InvalidContent, for wrong types of any kind too; MissingContent where something is not there.
    """
    if not isinstance(message_type, str) or message_type not in _TYPES:
        raise InvalidContent("message_type", f"must be one of: {', '.join(MESSAGE_TYPES)}")
    if not isinstance(data, Mapping):
        raise InvalidContent("message_data", "must be an object")
    return cast(Data, _TYPES[message_type].validate(dict(data), "message_data"))


def display_text(message_type: str, data: Data) -> str:
    """The text of a message for lists and search, from checked data; may be empty."""
    return _TYPES[message_type].text(data)


def build(
    message_type: str, data: Mapping[str, object], *, to: str, callback_data: str, context_wamid: str | None = None
) -> Data:
    """The body of ``POST /{phone_number_id}/messages``.

    `to` is a phone number in E.164 digits without the plus, or a BSUID; `callback_data` (1 to 512 characters) comes
    back in every status of the message; `context_wamid` is the message that is replied to. Raises InvalidContent.
    """
    body: Data = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    body[_recipient_key(to)] = to
    body["type"] = message_type
    normalised = validate(message_type, data)
    body[message_type] = _TYPES[message_type].node(normalised)
    if not 1 <= len(callback_data) <= MAX_CALLBACK_DATA:
        raise InvalidContent("callback_data", f"must have 1 to {MAX_CALLBACK_DATA} characters")
    body["biz_opaque_callback_data"] = callback_data
    # A reaction names its message itself.
    if context_wamid and message_type != REACTION:
        body["context"] = {"message_id": context_wamid}
    return body


def _recipient_key(to: str) -> str:
    if is_phone(to):
        return "to"
    if is_bsuid(to):
        return "recipient"
    raise InvalidContent("to", "must be a phone number in digits or a business-scoped user id")
