"""Targets of replies and reactions: a client names them by our id or by wamid, Meta needs the wamid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from messaging.accepting.accept import NewMessage
from messaging.contacts import names_of
from messaging.models import Message
from messaging.whatsapp.outbound import REACTION, InvalidContent
from messaging.whatsapp.recipients import canonical, is_phone

# Meta refuses a reaction to an older message.
REACTION_DAYS = 30
REPLY_TO = "reply_to"
REACTS_TO = "message_data.message_id"
# Base64, of any alphabet: Meta calls it opaque.
_WAMID = re.compile(r"wamid\.[\x21-\x7e]{1,506}")


def with_reply_targets(new: Sequence[NewMessage]) -> list[NewMessage | InvalidContent]:
    """The messages with a wamid as their `context_wamid` and in their reaction; what cannot be answered as an error.

    A wamid is taken as it is: Meta knows messages that we never saw. Our ids, and the wamids of reactions, are looked
    up in one query for all.
    """
    ids = {named for message in new if (named := _our_id(_named(message)[1]))}
    wamids = {_named(message)[1] for message in new if message.type == REACTION}
    found = Message.objects.filter(Q(pk__in=ids) | Q(wamid__in=wamids)) if ids or wamids else ()
    known = {key: message for message in found for key in (message.pk, message.wamid)}
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


def _resolved(message: NewMessage, known: Mapping[UUID | str | None, Message]) -> NewMessage | InvalidContent:
    field, name = _named(message)
    if field == REACTS_TO and message.context_wamid:
        return InvalidContent(REPLY_TO, f"A reaction names its message in {REACTS_TO}.")
    if not name:
        return message
    our_id = _our_id(name)
    target = known.get(our_id or name)
    if refusal := (_refusal_of_id(message, target) if our_id else _refusal_of_wamid(name)):
        return InvalidContent(field, refusal)
    if field == REACTS_TO and target is not None and _is_too_old(target):
        words = f"WhatsApp takes no reaction to a message that is older than {REACTION_DAYS} days."
        return InvalidContent(field, words)
    wamid = target.wamid if target is not None and target.wamid else name
    content = message.content | {"message_id": wamid} if message.type == REACTION else message.content
    return replace(message, context_wamid=wamid, content=content)


def _refusal_of_id(message: NewMessage, target: Message | None) -> str:
    if target is None:
        return "No message has this id."
    if not _same_conversation(message, target):
        return "That message is of another conversation."
    return "" if target.wamid else "WhatsApp has not accepted that message yet: there is nothing to answer."


def _refusal_of_wamid(name: str) -> str:
    wrong = "This is no id: give the id of a message here, or its wamid (wamid.…)."
    return "" if _WAMID.fullmatch(name) else wrong


def _is_too_old(target: Message) -> bool:
    return (target.outcome_at or target.at) < timezone.now() - timedelta(days=REACTION_DAYS)


def _same_conversation(message: NewMessage, target: Message) -> bool:
    if message.number.pk != target.number_id:
        return False
    if is_phone(message.peer) != is_phone(target.peer):
        # A number and a user id may be the same person.
        return True
    return canonical(message.peer) == canonical(target.peer) or target.peer in names_of([message.peer])
