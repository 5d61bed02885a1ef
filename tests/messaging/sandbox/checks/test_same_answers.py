"""The pipeline's acceptance and the sandbox give the same answer to the same send, each by rules of its own."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from messaging.sandbox.checks.interactive import KINDS
from messaging.sandbox.checks.send import check_send
from messaging.sandbox.graph_errors import GraphError
from messaging.whatsapp.outbound import MESSAGE_TYPES, InvalidContent, validate

from .send_bodies import REFUSED, TAKEN


def shown(value: object) -> str:
    return str(value)[:100]


def pipeline_field(message_type: str, node: object) -> str | None:
    """The field that the pipeline's 400 names; None where it accepts the message."""
    try:
        validate(message_type, {"contacts": node} if message_type == "contacts" else node)
    except InvalidContent as refusal:
        return refusal.field
    return None


def sandbox_code(message_type: str, node: object) -> int | None:
    """Meta's code in the sandbox's refusal; None where it accepts the message."""
    body = {"messaging_product": "whatsapp", "to": "15551230001", "type": message_type, message_type: node}
    try:
        check_send(body)
    except GraphError as refusal:
        return int(refusal.as_json()["error"]["code"])
    return None


@pytest.mark.parametrize(("message_type", "node"), TAKEN, ids=shown)
def test_what_meta_takes_is_accepted_by_both(message_type: str, node: Any) -> None:
    assert (pipeline_field(message_type, node), sandbox_code(message_type, node)) == (None, None)


@pytest.mark.parametrize(("message_type", "node", "path", "code"), REFUSED, ids=shown)
def test_what_meta_refuses_is_refused_by_both(message_type: str, node: Any, path: str, code: int) -> None:
    field = f"message_data.{path}".rstrip(".")
    assert (pipeline_field(message_type, node), sandbox_code(message_type, node)) == (field, code)


def test_the_table_has_every_type_and_every_kind_of_interactive_message() -> None:
    assert {message_type for message_type, _ in TAKEN} == set(MESSAGE_TYPES)
    assert {message_type for message_type, *_ in REFUSED} == set(MESSAGE_TYPES)
    assert {node["type"] for message_type, node in TAKEN if message_type == "interactive"} == set(KINDS)


ABSENT = object()
ODD_VALUES: list[Any] = ["", " ", "\n", "a\nb", 0, -1, 1.5, True, [], {}, ["x"], {"a": 1}, "x" * 5000, "\u200b", 10**20]


def places(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each value in a node; of lists, those in the first three elements."""
    yield place
    inner = node.items() if isinstance(node, dict) else enumerate(node[:3]) if isinstance(node, list) else ()
    for key, value in inner:
        yield from places(value, (*place, key))


def replaced(node: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of a node with another value at a place; ABSENT leaves the place out."""
    copy = {"node": deepcopy(node)}
    *way, last = "node", *place
    parent: Any = copy
    for key in way:
        parent = parent[key]
    if value is ABSENT:
        del parent[last]
    else:
        parent[last] = value
    return copy["node"]


def value_at(node: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        node = node[key]
    return node


def single_changes(node: Any) -> Iterator[Any]:
    """Copies of a node with one value replaced or left out, or with one unknown key."""
    for place in places(node):
        # The message of a reaction may be named by our own id: another check resolves it.
        if place == ("message_id",):
            continue
        odd = [*ODD_VALUES, ABSENT] if place else ODD_VALUES
        yield from (replaced(node, place, value) for value in odd)
        if isinstance(there := value_at(node, place), dict):
            yield replaced(node, place, {**there, "odd": 1})


@pytest.mark.slow("changes each field of each message")
@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_no_single_change_of_an_accepted_message_is_answered_in_two_ways(message_type: str) -> None:
    different = [
        node
        for given_type, accepted in TAKEN
        if given_type == message_type
        for node in single_changes(accepted)
        if (pipeline_field(message_type, node) is None) is not (sandbox_code(message_type, node) is None)
    ]
    assert different == []
