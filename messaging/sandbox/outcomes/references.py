"""References of a send: its template, its files, its recipient. All of them have to exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .. import graph_errors
from ..checks.params import Param
from ..checks.send import OutboundMessage
from ..media.file_types import can_carry
from ..media.library import MediaLibrary
from ..templates.fit import check_fit
from ..templates.store import Category, Template, Templates
from ..users.wa_ids import wa_id_of
from .outcome import Outcome, failed_later

SENDER_IS_RECIPIENT, MEDIA_NOT_USABLE, NOT_MARKETING, USER_ID_NOT_SUPPORTED = 131021, 131053, 131055, 131062
MAX_REACTION_AGE_S = 30 * 24 * 3600.0
_FILE_KEYS = ("image", "video", "audio", "document", "sticker")


def check_recipient(message: OutboundMessage, business_number: str) -> None:
    """Raises GraphError 131021 for the business's own number."""
    if message.recipient.wa_id == wa_id_of(business_number):
        raise graph_errors.of_code(SENDER_IS_RECIPIENT)


def check_reaction(message: OutboundMessage, sent_at: Callable[[str], float | None], now: float) -> None:
    """Raises GraphError 131009 for a reaction to a message that is older than 30 days.

    ``sent_at`` gives the time of a message, in seconds as ``now``, and None for one that the sandbox does not know.
    """
    if message.type == "reaction":
        wamid = Param(message.body["reaction"], "reaction").need("message_id")
        at = sent_at(wamid.value)
        if at is not None and now - at > MAX_REACTION_AGE_S:
            raise wamid.unusable("is the ID of a message that is older than 30 days")


def template_of(message: OutboundMessage, templates: Templates) -> Template | None:
    """The template of a template message, when the message fits it; None for the other types. Raises GraphError."""
    if message.type != "template":
        if message.marketing:
            raise graph_errors.of_code(NOT_MARKETING)
        return None
    node = message.body["template"]
    template = templates.approved(node)
    if message.marketing and template.category is not Category.MARKETING:
        raise graph_errors.of_code(NOT_MARKETING)
    if template.category is Category.AUTHENTICATION and message.recipient.wa_id is None:
        raise graph_errors.of_code(USER_ID_NOT_SUPPORTED)
    check_fit(template, node.get("components") or [])
    return template


def check_files(message: OutboundMessage, media: MediaLibrary, phone_number_id: str) -> Outcome | None:
    """Raises GraphError 131009 for a media id that does not exist, or that another business number has.

    A file that this type of message cannot carry is found out only later: the message is accepted and then fails.
    """
    outcome = None
    for kind, param in _media_ids(message):
        file = media.find(param.value)
        if file is None or file.phone_number_id != phone_number_id:
            raise param.unusable("is not a valid whatsapp business account media attachment ID")
        if not can_carry(kind, file.mime_type, file.content):
            outcome = failed_later(MEDIA_NOT_USABLE)
    return outcome


def _media_ids(message: OutboundMessage) -> Iterator[tuple[str, Param]]:
    """Each media id of a message at any depth, with the kind of message that its file is for."""
    waiting = [(message.type, Param(message.body[message.type], message.type))]
    # Not by recursion: an order or the data of a flow may be nested as deeply as the sender likes.
    while waiting:
        key, node = waiting.pop()
        value: Any = node.value
        if isinstance(value, list):
            waiting += (("", Param(inner, f"{node.path}[{index}]")) for index, inner in enumerate(value))
        elif isinstance(value, dict):
            if key in _FILE_KEYS and isinstance(value.get("id"), str):
                yield key, node.need("id")
            waiting += ((name, Param(inner, f"{node.path}['{name[:64]}']")) for name, inner in value.items())
