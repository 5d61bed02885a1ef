"""Targets of replies and reactions. Clients name them by our id or by wamid; Meta needs the wamid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from messaging.accepting.accept import NewMessage
from messaging.contacts import equivalent_peers
from messaging.models import Message
from messaging.whatsapp.outbound import REACTION, InvalidContent
from messaging.whatsapp.recipients import canonical, is_phone

REPLY_TO = "reply_to"
REACTS_TO = "message_data.message_id"
# Meta documents no alphabet: it calls the id opaque.
_WAMID = re.compile(r"wamid\.[\x21-\x7e]{1,506}")


@dataclass(frozen=True, slots=True)
class ReplyTargets:
    """The stored messages that some new messages reply or react to, by our id."""

    known: Mapping[UUID, Message]

    def resolve(self, message: NewMessage) -> NewMessage:
        """The message with the wamid of its target. Raises InvalidContent if the target cannot be replied to.

        A wamid is accepted unchecked: Meta knows messages that we never saw.
        """
        field, name = _target_name(message)
        if field == REACTS_TO and message.context_wamid:
            raise InvalidContent(REPLY_TO, f"A reaction names its message in {REACTS_TO}.")
        our_id = _our_id(name)
        if our_id is not None:
            name = self._wamid(message, field, our_id)
        elif name and not _WAMID.fullmatch(name):
            raise InvalidContent(field, "This is no id: give the id of a message here, or its wamid (wamid.…).")
        content = message.content | {"message_id": name} if message.type == REACTION else message.content
        return replace(message, context_wamid=name, content=content) if name else message

    def _wamid(self, message: NewMessage, field: str, our_id: UUID) -> str:
        target = self.known.get(our_id)
        if target is None:
            raise InvalidContent(field, "No message has this id.")
        if not _same_conversation(message, target):
            raise InvalidContent(field, "That message is of another conversation.")
        if target.wamid is None:
            raise InvalidContent(field, "WhatsApp has not accepted that message yet: there is nothing to reply to.")
        return target.wamid


def load_reply_targets(new: Sequence[NewMessage]) -> ReplyTargets:
    """Look up the targets of these messages that are named by our id: one query, none if there are none."""
    ids = {our_id for message in new if (our_id := _our_id(_target_name(message)[1]))}
    return ReplyTargets(Message.objects.in_bulk(ids) if ids else {})


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


def _same_conversation(message: NewMessage, target: Message) -> bool:
    if message.number.pk != target.number_id:
        return False
    if is_phone(message.peer) != is_phone(target.peer):
        # A phone number and a user id may belong to the same person.
        return True
    return canonical(message.peer) == canonical(target.peer) or target.peer in equivalent_peers([message.peer])
