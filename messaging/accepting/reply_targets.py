"""The message that a reply or reaction refers to. Clients name it by our id or by wamid; Meta needs the wamid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from messaging.accepting.accept import NewMessage
from messaging.contacts import equivalent_peers
from messaging.models import Message
from messaging.whatsapp.outbound import REACTION, InvalidContent
from messaging.whatsapp.recipients import canonical, is_phone

# Meta refuses a reaction to an older message.
REACTION_DAYS = 30
REPLY_TO = "reply_to"
REACTS_TO = "message_data.message_id"
# Meta documents no alphabet: it calls the id opaque.
_WAMID = re.compile(r"wamid\.[\x21-\x7e]{1,506}")


@dataclass(frozen=True, slots=True)
class ReplyTargets:
    """The stored messages that some new messages reply or react to, by our id and by wamid."""

    known: Mapping[UUID | str | None, Message]

    def resolve(self, message: NewMessage) -> NewMessage:
        """The message with the wamid of its target. Raises InvalidContent if the target cannot be replied to.

        A wamid is accepted unchecked: Meta knows messages that we never saw.
        """
        field, name = _target_name(message)
        if field == REACTS_TO and message.context_wamid:
            raise InvalidContent(REPLY_TO, f"A reaction names its message in {REACTS_TO}.")
        if not name:
            return message
        our_id = _our_id(name)
        target = self.known.get(our_id or name)
        if refusal := (_refusal_of_id(message, target) if our_id else _refusal_of_wamid(name)):
            raise InvalidContent(field, refusal)
        if field == REACTS_TO and target is not None and _is_too_old(target):
            raise InvalidContent(field, f"WhatsApp takes no reaction to a message older than {REACTION_DAYS} days.")
        wamid = target.wamid if target is not None and target.wamid else name
        content = message.content | {"message_id": wamid} if message.type == REACTION else message.content
        return replace(message, context_wamid=wamid, content=content)


def load_reply_targets(new: Sequence[NewMessage]) -> ReplyTargets:
    """Look up the targets that are named by our id, and those of reactions: one query, none if there are none."""
    ids = {our_id for message in new if (our_id := _our_id(_target_name(message)[1]))}
    wamids = {_target_name(message)[1] for message in new if message.type == REACTION}
    found = Message.objects.filter(Q(pk__in=ids) | Q(wamid__in=wamids)) if ids or wamids else ()
    return ReplyTargets({key: message for message in found for key in (message.pk, message.wamid)})


def _target_name(message: NewMessage) -> tuple[str, str]:
    """The field that names the target, and its value (empty if the message has no target)."""
    if message.type == REACTION:
        return REACTS_TO, str(message.content["message_id"])
    return REPLY_TO, message.context_wamid


def _our_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _refusal_of_id(message: NewMessage, target: Message | None) -> str:
    if target is None:
        return "No message has this id."
    if not _same_conversation(message, target):
        return "That message is of another conversation."
    return "" if target.wamid else "WhatsApp has not accepted that message yet: there is nothing to reply to."


def _refusal_of_wamid(name: str) -> str:
    wrong = "This is not an id: give the id of a message here, or its wamid (wamid.…)."
    return "" if _WAMID.fullmatch(name) else wrong


def _is_too_old(target: Message) -> bool:
    return (target.outcome_at or target.at) < timezone.now() - timedelta(days=REACTION_DAYS)


def _same_conversation(message: NewMessage, target: Message) -> bool:
    if message.number.pk != target.number_id:
        return False
    if is_phone(message.peer) != is_phone(target.peer):
        # A phone number and a user id may belong to the same person.
        return True
    return canonical(message.peer) == canonical(target.peer) or target.peer in equivalent_peers([message.peer])
