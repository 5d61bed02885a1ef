"""Meta's checks of a message's node, by message type; the limits are the sandbox's own copy of Meta's facts.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from collections.abc import Callable

from . import cards, files, interactive, template, text
from .params import Param

_CHECKS: dict[str, Callable[[Param], None]] = {
    "audio": files.check_audio,
    "contacts": cards.check_contacts,
    "document": files.check_document,
    "image": files.check_captioned,
    "interactive": interactive.check,
    "location": cards.check_location,
    "pin": cards.check_pin,
    "reaction": cards.check_reaction,
    "sticker": files.check_sticker,
    "template": template.check,
    "text": text.check,
    "video": files.check_captioned,
}
MESSAGE_TYPES = frozenset(_CHECKS)


def check_node(message_type: str, node: Param) -> None:
    """Raises GraphError with the first fault found in the node of this type, one of MESSAGE_TYPES."""
    _CHECKS[message_type](node)
