"""Turns a webhook body into messages, statuses and unknown pieces, and loses nothing on the way.

The set of fields and types is open: Meta adds some every few months. What is not understood, or has a shape that
nobody foresaw, comes out as Unknown with its piece of JSON; no JSON value makes this module raise.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from messaging.whatsapp import fields
from messaging.whatsapp.contacts import Directory, user_id_of
from messaging.whatsapp.envelope import (
    BODY_KEYS,
    CHANGE_KEYS,
    ENTRY_KEYS,
    FIELD,
    has_changes,
    is_envelope,
    is_messages,
    oddities,
    updates,
)
from messaging.whatsapp.errors import from_status_error
from messaging.whatsapp.storable import storable
from messaging.whatsapp.updates import InboundMessage, Normalised, StatusUpdate, Unknown

__all__ = ["STATUSES", "InboundMessage", "Normalised", "StatusUpdate", "Unknown", "normalise"]

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed", "deleted"})

Update = InboundMessage | StatusUpdate | Unknown
_MAX_NAME = 256
_MAX_TYPE = 64
_MAX_CALLBACK_DATA = 512
_MAX_KIND = 100


def normalise(body: object) -> Normalised:
    """Everything a webhook body holds; takes any JSON value and never raises."""
    found = list(_of_body(storable(body)))
    return Normalised(
        messages=tuple(update for update in found if isinstance(update, InboundMessage)),
        statuses=tuple(update for update in found if isinstance(update, StatusUpdate)),
        unknown=tuple(_bounded(update) for update in found if isinstance(update, Unknown)),
    )


def _of_body(body: object) -> Iterator[Update]:
    if not is_envelope(body):
        yield Unknown("body", None, body)
        return
    for entry in body["entry"]:
        yield from _of_entry(entry)
    yield from (Unknown(f"body.{key}", None, body[key]) for key in body if key not in BODY_KEYS)


def _of_entry(entry: object) -> Iterator[Update]:
    if not has_changes(entry):
        yield Unknown("entry", None, entry)
        return
    waba_id, timestamp = fields.text(entry, "id"), fields.timestamp(entry, "time")
    leftover = (Unknown(f"entry.{key}", None, entry[key]) for key in entry if key not in ENTRY_KEYS)
    for update in (*_of_changes(entry["changes"], waba_id), *leftover):
        yield replace(update, waba_id=waba_id, timestamp=timestamp) if isinstance(update, Unknown) else update


def _of_changes(changes: list[Any], waba_id: str | None) -> Iterator[Update]:
    for change in changes:
        if is_messages(change):
            yield from _Change.of(change["value"], waba_id).read()
            yield from (Unknown(f"change.{key}", None, change[key]) for key in change if key not in CHANGE_KEYS)
        else:
            yield _unmodelled(change)


def _unmodelled(change: object) -> Unknown:
    if not isinstance(change, dict):
        return Unknown("change", None, change)
    metadata = fields.node(change.get("value"), "metadata")
    phone_number_id = fields.text(metadata, "phone_number_id")
    name = change.get("field")
    if not isinstance(name, str) or not name:
        return Unknown("change", phone_number_id, change)
    return Unknown("value" if name == FIELD else f"field:{name}", phone_number_id, change)


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the field `messages`."""

    value: dict[str, Any]
    waba_id: str | None
    phone_number_id: str | None
    display_phone_number: str | None
    directory: Directory

    @classmethod
    def of(cls, value: dict[str, Any], waba_id: str | None) -> "_Change":
        metadata = fields.node(value, "metadata")
        return cls(
            value,
            waba_id,
            fields.text(metadata, "phone_number_id"),
            fields.text(metadata, "display_phone_number"),
            Directory(value.get("contacts")),
        )

    def read(self) -> Iterator[Update]:
        for key, element in updates(self.value):
            if key == "messages":
                yield self._message(element) or Unknown("message", self.phone_number_id, element)
            elif key == "statuses":
                yield self._status(element) or Unknown("status", self.phone_number_id, element)
            else:
                yield Unknown(f"value.{key}", self.phone_number_id, element)
        yield from (Unknown(kind, self.phone_number_id, odd) for kind, odd in oddities(self.value))

    def _message(self, raw: object) -> InboundMessage | None:
        wamid = fields.wamid(raw, "id") if isinstance(raw, dict) else None
        if wamid is None or not isinstance(raw, dict):
            return None
        contact = self.directory.sender_of(raw)
        given_type = raw["type"] if isinstance(raw.get("type"), str) and raw["type"] else "unknown"
        content = _content(raw, given_type)
        text = content.get("body" if given_type == "text" else "caption")
        return InboundMessage(
            wamid=wamid,
            phone_number_id=self.phone_number_id,
            display_phone_number=self.display_phone_number,
            waba_id=self.waba_id,
            sender=fields.phone(raw, "from") or fields.phone(contact, "wa_id"),
            sender_user_id=fields.user_id(raw, "from_user_id", "from") or user_id_of(contact),
            profile_name=fields.cut(fields.node(contact, "profile"), "name", _MAX_NAME),
            timestamp=fields.timestamp(raw, "timestamp"),
            type=given_type[:_MAX_TYPE],
            text=text if isinstance(text, str) else None,
            content=content,
            context_wamid=fields.wamid(fields.node(raw, "context"), "id"),
            modelled=given_type == "text" and isinstance(text, str),
            raw=raw,
        )

    def _status(self, raw: object) -> StatusUpdate | None:
        wamid = fields.wamid(raw, "id") if isinstance(raw, dict) else None
        if wamid is None or not isinstance(raw, dict) or fields.text(raw, "status") not in STATUSES:
            return None
        errors = raw.get("errors")
        error = from_status_error(errors[0] if isinstance(errors, list) and errors else None)
        user_id = fields.user_id(raw, "recipient_user_id", "recipient_id")
        recipient = fields.text(raw, "recipient_id")
        return StatusUpdate(
            wamid=wamid,
            phone_number_id=self.phone_number_id,
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
            raw=raw,
        )


def _content(raw: dict[str, Any], given_type: str) -> dict[str, Any]:
    if given_type not in raw:
        return {}
    node = raw[given_type]
    return node if isinstance(node, dict) else {given_type: node}


def _bounded(unknown: Unknown) -> Unknown:
    return replace(unknown, kind=unknown.kind[:_MAX_KIND])
