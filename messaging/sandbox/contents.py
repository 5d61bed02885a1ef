"""Checks the node of a send by the tables of `messaging.whatsapp.outbound`: Meta's limits stand in one place."""

from __future__ import annotations

import re

from messaging.whatsapp.outbound import MESSAGE_TYPES, InvalidContent, MissingContent, data_of, validate

from .graph_errors import GraphError, invalid_parameter, missing_parameter

_PART = re.compile(r"\.([^.\[]+)")


def check_content(message_type: str, node: object) -> None:
    """Raises GraphError with the first fault found. Types that our API does not send (`pin`) are not looked into."""
    if message_type not in MESSAGE_TYPES:
        return
    try:
        validate(*data_of({"type": message_type, message_type: node}))
    except InvalidContent as fault:
        raise _graph_error(message_type, fault) from None


def _graph_error(message_type: str, fault: InvalidContent) -> GraphError:
    """The path as Meta writes it: ``interactive['action']['buttons'][0]['reply']['title']``."""
    inner = fault.field.removeprefix("message_data").removeprefix(".contacts" if message_type == "contacts" else "")
    path = message_type + _PART.sub(r"['\1']", inner)
    if isinstance(fault, MissingContent):
        return missing_parameter(f"Parameter {path} is mandatory for type '{message_type}'")
    return invalid_parameter(f"Param {path} {fault.message}.")
