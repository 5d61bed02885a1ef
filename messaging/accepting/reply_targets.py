"""Targets of replies and reactions: a client names them by our id or by wamid, Meta needs the wamid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from messaging.accepting.accept import NewMessage
from messaging.contacts import names_of
from messaging.models import Message
from messaging.whatsapp.outbound import REACTION, InvalidContent
from messaging.whatsapp.recipients import canonical, is_phone

REPLY_TO = "reply_to"
REACTS_TO = "message_data.message_id"
# Base64, of any alphabet: Meta calls it opaque.
_WAMID = re.compile(r"wamid\.[\x21-\x7e]{1,506}")


def with_reply_targets(new: Sequence[NewMessage]) -> list[NewMessage | InvalidContent]:
    """The messages with a wamid as their `context_wamid` and in their reaction; what cannot be answered as an error.

    A wamid is taken as it is: Meta knows messages that we never saw. Our ids are looked up in one query for all.
    """
    ids = {named for message in new if (named := _our_id(_named(message)[1]))}
    known = Message.objects.in_bulk(ids) if ids else {}
    return [_resolved(message, known) for message in new]


def _named(message: NewMessage) -> tuple[str, str]:
    """The field and what it holds; empty where the message answers none."""
    if message.type == REACTION:
        return REACTS_TO, str(message.content["message_id"])
    return REPLY_TO, message.context_wamid


def _our_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _resolved(message: NewMessage, known: Mapping[UUID, Message]) -> NewMessage | InvalidContent:
    field, name = _named(message)
    if field == REACTS_TO and message.context_wamid:
        return InvalidContent(REPLY_TO, f"A reaction names its message in {REACTS_TO}.")
    our_id = _our_id(name)
    if our_id is not None:
        target = known.get(our_id)
        if target is None:
            return InvalidContent(field, "No message has this id.")
        if not _same_conversation(message, target):
            return InvalidContent(field, "That message is of another conversation.")
        if target.wamid is None:
            return InvalidContent(field, "WhatsApp has not accepted that message yet: there is nothing to answer.")
        name = target.wamid
    elif name and not _WAMID.fullmatch(name):
        return InvalidContent(field, "This is no id: give the id of a message here, or its wamid (wamid.…).")
    content = message.content | {"message_id": name} if message.type == REACTION else message.content
    return replace(message, context_wamid=name, content=content) if name else message


def _same_conversation(message: NewMessage, target: Message) -> bool:
    if message.number.pk != target.number_id:
        return False
    if is_phone(message.peer) != is_phone(target.peer):
        # A number and a user id may be the same person.
        return True
    return canonical(message.peer) == canonical(target.peer) or target.peer in names_of([message.peer])
