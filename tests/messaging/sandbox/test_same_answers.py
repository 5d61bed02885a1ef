"""The pipeline's acceptance and the sandbox give the same answer to the same send, each by rules of its own."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.sandbox.checks.interactive import KINDS
from messaging.sandbox.graph_errors import GraphError
from messaging.sandbox.validation import check_send
from messaging.whatsapp.outbound import MESSAGE_TYPES, InvalidContent, data_of, validate

from .send_bodies import REFUSED, TAKEN


def shown(value: object) -> str:
    return str(value)[:100]


def pipeline_field(message_type: str, node: object) -> str | None:
    """The field that the pipeline's 400 names; None where it accepts the message."""
    try:
        validate(*data_of({"type": message_type, message_type: node}))
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
