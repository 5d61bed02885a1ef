"""Splits a large webhook body into bodies that fit into an SQS message.

Meta sends up to 3 MB and 1,000 updates in one POST, SQS takes 1 MiB. A body that is too large is halved between
entries, then between changes, then between updates, until every piece fits or is a single update. Each piece is a
webhook body of its own, with the same envelope; whatever else stood in an envelope travels with its first piece.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from messaging.whatsapp.inbound.contacts import Contact, Directory
from messaging.whatsapp.inbound.envelope import (
    BODY_KEYS,
    CHANGE_KEYS,
    ENTRY_KEYS,
    VALUE_KEYS,
    Node,
    has_changes,
    is_envelope,
    is_messages,
    updates,
)
from messaging.whatsapp.storable import storable

_Halves = tuple[Node, Node] | None


def split(body: object, limit: int) -> list[Any]:
    """Bodies of at most `limit` bytes (compact JSON in UTF-8) that together hold all of `body`.

    A single update that is larger stays alone in a larger piece; a body that is no webhook of WhatsApp, of any JSON
    type, stays whole. Characters that PostgreSQL refuses are replaced (see `storable.py`). A piece has the contacts of
    its own messages where each of them can be identified, else all contacts.
    """
    return list(_fitting(storable(body), limit))


def _fitting(body: object, limit: int) -> Iterator[object]:
    halves = _halves_of_body(body) if is_envelope(body) and size(body) > limit else None
    if halves is None:
        yield body
        return
    for half in halves:
        yield from _fitting(half, limit)


def size(value: object) -> int:
    """The length in bytes of compact JSON in UTF-8, which is what `split` counts."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _halves_of_body(body: Node) -> _Halves:
    if len(body["entry"]) == 1:
        return _around(body, "entry", BODY_KEYS, _halves_of_entry(body["entry"][0]))
    return _cut(body, "entry", BODY_KEYS)


def _halves_of_entry(entry: object) -> _Halves:
    if not has_changes(entry):
        return None
    if len(entry["changes"]) == 1:
        return _around(entry, "changes", ENTRY_KEYS, _halves_of_change(entry["changes"][0]))
    return _cut(entry, "changes", ENTRY_KEYS)


def _halves_of_change(change: object) -> _Halves:
    if not is_messages(change):
        return None
    found = list(updates(change["value"]))
    middle = len(found) // 2
    if middle == 0:
        return None
    first = _value_of(change["value"], found[:middle], is_first=True)
    second = _value_of(change["value"], found[middle:], is_first=False)
    return change | {"value": first}, _bare(change, CHANGE_KEYS) | {"value": second}


def _cut(node: Node, key: str, envelope: frozenset[str]) -> tuple[Node, Node]:
    """Two copies of a node, with half of the list under `key` each."""
    middle = len(node[key]) // 2
    return node | {key: node[key][:middle]}, _bare(node, envelope) | {key: node[key][middle:]}


def _around(node: Node, key: str, envelope: frozenset[str], halves: _Halves) -> _Halves:
    """Two copies of a node around the halves of the only element under `key`."""
    if halves is None:
        return None
    return node | {key: [halves[0]]}, _bare(node, envelope) | {key: [halves[1]]}


def _bare(node: Node, envelope: frozenset[str]) -> Node:
    return {key: held for key, held in node.items() if key in envelope}


def _value_of(value: Node, found: Sequence[tuple[str, Any]], *, is_first: bool) -> Node:
    """A value with these updates only. Parts of the envelope that are not of their type go with the first piece."""
    result = _bare(value, VALUE_KEYS)
    for key, proper in (("metadata", dict), ("contacts", list)):
        if not is_first and not isinstance(value.get(key), proper):
            result.pop(key, None)
    if isinstance(result.get("contacts"), list):
        contacts = _contacts_of([element for _, element in found], Directory(value["contacts"]))
        odd = [contact for contact in value["contacts"] if is_first and not isinstance(contact, dict)]
        result["contacts"] = [*contacts, *odd]
    for key, element in found:
        if isinstance(value[key], list):
            result.setdefault(key, []).append(element)
        else:
            result[key] = element
    return result


def _contacts_of(elements: Sequence[object], directory: Directory) -> list[Contact]:
    """The contacts of these elements, in their order; all if the contact of any element cannot be identified."""
    found = [directory.identified(element) if isinstance(element, dict) else None for element in elements]
    wanted = {id(contact) for contact in found if contact is not None}
    is_partial = None not in found
    return [contact for contact in directory.contacts if not is_partial or id(contact) in wanted]
