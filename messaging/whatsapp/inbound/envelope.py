"""The structure of a webhook body: its envelope and its updates.

    {object, entry: [{id, time?, changes: [{field, value: {messaging_product, metadata, contacts?, <updates>}}]}]}

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
"""

from collections.abc import Iterator
from typing import Any, TypeGuard

OBJECT = "whatsapp_business_account"
FIELD = "messages"
# The envelope's own keys; every other key holds updates, known or not.
BODY_KEYS = frozenset({"object", "entry"})
ENTRY_KEYS = frozenset({"id", "time", "changes"})
CHANGE_KEYS = frozenset({"field", "value"})
VALUE_KEYS = frozenset({"messaging_product", "metadata", "contacts"})

Node = dict[str, Any]


def is_envelope(body: object) -> TypeGuard[Node]:
    """Whether this is a WhatsApp webhook with entries."""
    return isinstance(body, dict) and body.get("object") == OBJECT and _is_filled_list(body.get("entry"))


def has_changes(entry: object) -> TypeGuard[Node]:
    """Whether an entry holds changes."""
    return isinstance(entry, dict) and _is_filled_list(entry.get("changes"))


def is_messages(change: object) -> TypeGuard[Node]:
    """Whether a change of the field `messages` has updates."""
    return isinstance(change, dict) and change.get("field") == FIELD and has_updates(change.get("value"))


def has_updates(value: object) -> TypeGuard[Node]:
    """Whether a value is an object with updates in it."""
    return isinstance(value, dict) and any(True for _ in updates(value))


def updates(value: Node) -> Iterator[tuple[str, Any]]:
    """Each update of a value with its key: the elements of lists, other values whole."""
    for key, held in value.items():
        if key in VALUE_KEYS:
            continue
        if isinstance(held, list):
            yield from ((key, element) for element in held)
        else:
            yield key, held


def malformed_parts(value: Node) -> Iterator[tuple[str, Any]]:
    """The envelope's parts of a wrong type, each with the kind that it should have."""
    contacts, metadata = value.get("contacts", []), value.get("metadata", {})
    if not isinstance(contacts, list):
        yield "contact", contacts
    else:
        yield from (("contact", contact) for contact in contacts if not isinstance(contact, dict))
    if not isinstance(metadata, dict):
        yield "value.metadata", metadata


def _is_filled_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)
