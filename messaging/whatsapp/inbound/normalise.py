"""Normalises a webhook body without losing any of it.

The set of fields and types is open: Meta adds some every few months. What is not understood, or has an
unforeseen shape, comes out as Unknown with its piece of JSON; no JSON value makes this module raise.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from messaging.whatsapp.inbound import fields
from messaging.whatsapp.inbound.account_fields import read_event
from messaging.whatsapp.inbound.changes import READERS, Change
from messaging.whatsapp.inbound.envelope import (
    BODY_KEYS,
    CHANGE_KEYS,
    ENTRY_KEYS,
    FIELD,
    has_changes,
    has_updates,
    is_envelope,
)
from messaging.whatsapp.inbound.updates import (
    Event,
    InboundMessage,
    Normalised,
    Pair,
    Preference,
    StatusUpdate,
    Unknown,
    Update,
)
from messaging.whatsapp.storable import storable

_MAX_KIND = 100


def normalise(body: object) -> Normalised:
    """All updates of a webhook body. Takes any JSON value and never raises."""
    found = list(_of_body(storable(body)))
    return Normalised(
        messages=tuple(update for update in found if isinstance(update, InboundMessage)),
        statuses=tuple(update for update in found if isinstance(update, StatusUpdate)),
        unknown=tuple(_bounded(update) for update in found if isinstance(update, Unknown)),
        preferences=tuple(update for update in found if isinstance(update, Preference)),
        events=tuple(update for update in found if isinstance(update, Event)),
        pairs=tuple(dict.fromkeys(update for update in found if isinstance(update, Pair))),
    )


def _of_body(body: object) -> Iterator[Update | Pair]:
    if not is_envelope(body):
        yield Unknown("body", None, body)
        return
    for entry in body["entry"]:
        yield from _of_entry(entry)
    yield from (Unknown(f"body.{key}", None, body[key]) for key in body if key not in BODY_KEYS)


def _of_entry(entry: object) -> Iterator[Update | Pair]:
    if not has_changes(entry):
        yield Unknown("entry", None, entry)
        return
    waba_id, timestamp = fields.text(entry, "id"), fields.timestamp(entry, "time")
    leftover = (Unknown(f"entry.{key}", None, entry[key]) for key in entry if key not in ENTRY_KEYS)
    for update in (*_of_changes(entry["changes"], waba_id), *leftover):
        if isinstance(update, Unknown | Event):
            yield replace(update, waba_id=waba_id, timestamp=update.timestamp or timestamp)
        else:
            yield update


def _of_changes(changes: Iterable[Any], waba_id: str | None) -> Iterator[Update | Pair]:
    for change in changes:
        reader = _reader(change)
        if reader is not None:
            yield from Change.of(change["value"], waba_id).read(*reader)
            yield from (Unknown(f"change.{key}", None, change[key]) for key in change if key not in CHANGE_KEYS)
        else:
            yield _whole(change)


def _reader(change: object) -> Any:
    """The readers for this change; None where the change is a single update."""
    if not isinstance(change, dict) or not isinstance(change.get("field"), str):
        return None
    found = READERS.get(change["field"])
    return found if found is not None and has_updates(change.get("value")) else None


def _whole(change: object) -> Update:
    if not isinstance(change, dict):
        return Unknown("change", None, change)
    value = change.get("value")
    phone_number_id = fields.text(fields.node(value, "metadata"), "phone_number_id")
    name = change.get("field")
    if not isinstance(name, str) or not name:
        return Unknown("change", phone_number_id, change)
    unknown = Unknown("value" if name == FIELD else f"field:{name}", phone_number_id, change)
    return read_event(name, value, change, phone_number_id) or unknown


def _bounded(unknown: Unknown) -> Unknown:
    return replace(unknown, kind=unknown.kind[:_MAX_KIND])
