"""Readers of changes with many updates: messages, statuses, echoes of the phone app, history, preferences."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from messaging.whatsapp.errors import from_status_error
from messaging.whatsapp.inbound import fields
from messaging.whatsapp.inbound.account_fields import action_event, error_event
from messaging.whatsapp.inbound.contacts import Directory, user_id_of
from messaging.whatsapp.inbound.envelope import Node, malformed_parts, updates
from messaging.whatsapp.inbound.message_readers import read
from messaging.whatsapp.inbound.message_types import Edit, Reaction, Revoke, content_of, text_of
from messaging.whatsapp.inbound.updates import (
    Event,
    InboundMessage,
    Origin,
    Pair,
    Preference,
    Pricing,
    StatusUpdate,
    Unknown,
    Update,
)

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed", "deleted"})

_MAX_NAME = 256
_MAX_TYPE = 64
_MAX_CALLBACK_DATA = 512
_MAX_PRICING_MODEL = 20
_MAX_PRICING_WORD = 40
_OURS = ("to", "recipient_id", "to_user_id")

_NO_PRICING = Pricing(None, None, None, None)

Reader = Callable[["Change", Any], Iterator[Update]]


@dataclass(frozen=True, slots=True)
class Change:
    """The value of one change, with the metadata that its updates share."""

    value: Node
    waba_id: str | None
    phone_number_id: str | None
    display_phone_number: str | None
    directory: Directory

    @classmethod
    def of(cls, value: Node, waba_id: str | None) -> "Change":
        """From a value that is an object."""
        metadata = fields.node(value, "metadata")
        return cls(
            value,
            waba_id,
            fields.text(metadata, "phone_number_id"),
            fields.text(metadata, "display_phone_number"),
            Directory(value.get("contacts")),
        )

    def read(self, readers: dict[str, Reader], origin: Origin) -> Iterator[Update | Pair]:
        """Reads each update by its key; without a reader, or not understood by it, an update is Unknown."""
        for key, element in updates(self.value):
            reader = readers.get(key)
            found = list(reader(self, element)) if reader else []
            yield from found or [Unknown(_kind(key, reader), self.phone_number_id, element)]
        yield from (Unknown(kind, self.phone_number_id, odd) for kind, odd in malformed_parts(self.value))
        if origin is Origin.USER:
            yield from self._pairs()

    def _pairs(self) -> Iterator[Pair]:
        for contact in self.directory.contacts:
            phone, user_id = fields.phone(contact, "wa_id"), user_id_of(contact)
            if phone and user_id:
                yield Pair(self.phone_number_id, phone, user_id)

    def is_ours(self, raw: Node) -> bool:
        """Whether the business wrote the message, by its `from`."""
        own = "".join(character for character in self.display_phone_number or "" if character.isdigit())
        return bool(own) and fields.phone(raw, "from") == own

    def message(
        self, raw: Node, contact: Node, origin: Origin = Origin.USER, *, outgoing: bool = False
    ) -> InboundMessage | None:
        """The message, or None without a usable id; `contact` is the other party, as far as it is known."""
        wamid = fields.wamid(raw, "id")
        if wamid is None:
            return None
        given_type = raw["type"] if isinstance(raw.get("type"), str) and raw["type"] else "unknown"
        details = read(raw, given_type)
        content = content_of(raw, given_type, details)
        ids = ("to_user_id", "to") if outgoing else ("from_user_id", "from")
        profile = fields.node(contact, "profile")
        username = fields.truncated(profile, "username", _MAX_NAME) or fields.truncated(contact, "username", _MAX_NAME)
        return InboundMessage(
            wamid=wamid,
            phone_number_id=self.phone_number_id,
            display_phone_number=self.display_phone_number,
            waba_id=self.waba_id,
            sender=fields.phone(raw, ids[1]) or fields.phone(contact, "wa_id"),
            sender_user_id=fields.user_id(raw, *ids) or user_id_of(contact),
            profile_name=fields.truncated(profile, "name", _MAX_NAME),
            username=username.removeprefix("@") if username else None,
            timestamp=fields.timestamp(raw, "timestamp"),
            type=given_type[:_MAX_TYPE],
            text=text_of(details, content),
            content=content,
            details=details,
            context_wamid=_target(details) or fields.wamid(fields.node(raw, "context"), "id"),
            origin=origin,
            outgoing=outgoing,
            raw=raw,
        )


def _message(change: Change, raw: Any) -> Iterator[Update]:
    if isinstance(raw, dict) and (message := change.message(raw, change.directory.sender_of(raw))):
        yield message


def _echo(change: Change, raw: Any) -> Iterator[Update]:
    if not isinstance(raw, dict):
        return
    there = {"wa_id": raw.get("to"), "user_id": raw.get("to_user_id")}
    contact = change.directory.identified({"from": raw.get("to"), "from_user_id": raw.get("to_user_id")}) or there
    if message := change.message(raw, contact, Origin.ECHO, outgoing=True):
        yield message


def _status(change: Change, raw: Any) -> Iterator[Update]:
    wamid = fields.wamid(raw, "id") if isinstance(raw, dict) else None
    if wamid is None or fields.text(raw, "status") not in STATUSES:
        return
    errors = raw.get("errors")
    error = from_status_error(errors[0] if isinstance(errors, list) and errors else None)
    user_id = fields.user_id(raw, "recipient_user_id", "recipient_id")
    recipient = fields.text(raw, "recipient_id")
    yield StatusUpdate(
        wamid=wamid,
        phone_number_id=change.phone_number_id,
        display_phone_number=change.display_phone_number,
        waba_id=change.waba_id,
        status=raw["status"],
        timestamp=fields.timestamp(raw, "timestamp"),
        recipient=None if recipient == user_id else recipient,
        recipient_user_id=user_id,
        participant=fields.text(raw, "recipient_participant_id")
        or fields.user_id(raw, "recipient_participant_user_id"),
        callback_data=fields.text(raw, "biz_opaque_callback_data", longest=_MAX_CALLBACK_DATA),
        error_code=error.code,
        error_title=error.title,
        error_details=error.details,
        pricing=_pricing(fields.node(raw, "pricing")),
        raw=raw,
    )


def _pricing(node: dict[str, Any]) -> Pricing | None:
    billable = node.get("billable")
    category = fields.text(node, "category", longest=_MAX_PRICING_WORD)
    found = Pricing(
        billable=billable if isinstance(billable, bool) else None,
        model=fields.text(node, "pricing_model", longest=_MAX_PRICING_MODEL),
        type=fields.text(node, "type", longest=_MAX_PRICING_WORD),
        category=category and category.replace("-", "_"),
    )
    return None if found == _NO_PRICING else found


def _preference(change: Change, raw: Any) -> Iterator[Update]:
    if not isinstance(raw, dict):
        return
    category, value = fields.text(raw, "category"), fields.text(raw, "value")
    contact = change.directory.sender_of({"from": raw.get("wa_id"), "from_user_id": raw.get("user_id")})
    phone = fields.phone(raw, "wa_id") or fields.phone(contact, "wa_id")
    user_id = fields.user_id(raw, "user_id", "wa_id") or user_id_of(contact)
    if category and value and (phone or user_id):
        at = fields.timestamp(raw, "timestamp")
        yield Preference(change.phone_number_id, phone, user_id, category, value, at, raw)


def _error(change: Change, raw: Any) -> Iterator[Update]:
    if event := error_event(raw, change.phone_number_id):
        yield event


def _action(change: Change, raw: Any) -> Iterator[Update]:
    if event := action_event(raw, change.phone_number_id):
        yield event


def _history(change: Change, raw: Any) -> Iterator[Update]:
    """A chunk of history: its messages, and the rest of the chunk as an event with the progress."""
    if not isinstance(raw, dict) or not isinstance(raw.get("threads"), list):
        return
    for thread in raw["threads"]:
        yield from _thread(change, thread)
    rest = {key: held for key, held in raw.items() if key != "threads"}
    progress = fields.text(fields.node(raw, "metadata"), "progress") or ""
    yield Event("history", "chunk", progress, change.phone_number_id, rest)


def _thread(change: Change, thread: Any) -> Iterator[Update]:
    if not isinstance(thread, dict) or not isinstance(thread.get("messages"), list):
        yield Unknown("history.thread", change.phone_number_id, thread)
        return
    context = fields.node(thread, "context")
    there = context if context.get("wa_id") or context.get("user_id") else {"wa_id": thread.get("id")}
    for raw in thread["messages"]:
        message = None
        if isinstance(raw, dict):
            outgoing = any(raw.get(key) for key in _OURS) or change.is_ours(raw)
            message = change.message(raw, there, Origin.HISTORY, outgoing=outgoing)
        yield message or Unknown("history.message", change.phone_number_id, raw)
    known = {"id", "context", "messages"}
    yield from (
        Unknown(f"history.{key}", change.phone_number_id, held) for key, held in thread.items() if key not in known
    )


def _target(details: object) -> str | None:
    match details:
        case Reaction(message_id=target):
            return target
        case Edit(original_message_id=target) | Revoke(original_message_id=target):
            return target
        case _:
            return None


_SINGULAR = {"messages": "message", "statuses": "status", "message_echoes": "echo"}


def _kind(key: str, reader: Reader | None) -> str:
    return _SINGULAR.get(key, f"value.{key}") if reader else f"value.{key}"


_MESSAGES: dict[str, Reader] = {
    "messages": _message,
    "statuses": _status,
    "errors": _error,
    "user_actions": _action,
    "message_echoes": _echo,
}

# By webhook field: the readers of its value's keys, and the origin of its messages.
READERS: dict[str, tuple[dict[str, Reader], Origin]] = {
    "messages": (_MESSAGES, Origin.USER),
    "smb_message_echoes": (_MESSAGES, Origin.ECHO),
    "history": ({**_MESSAGES, "history": _history}, Origin.HISTORY),
    "user_preferences": ({"user_preferences": _preference, "errors": _error}, Origin.USER),
}
