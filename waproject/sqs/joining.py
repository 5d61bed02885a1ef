"""Joining: several messages as one task, for tasks where `f(a); f(b)` equals `f(a, b)`."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from waproject.sqs.envelope import DECODED

# The header by which what a message caused is found again; those of all that were joined, and how many these were.
TRACE = "request_id"
TRACES = "request_ids"
JOINED = "joined"
# The header with the W3C context of what caused a message; those of all that were joined, of which none is the parent.
CONTEXT = "traceparent"
CONTEXTS = "traceparents"
MOST_CONTEXTS = 128
# A larger body runs alone: thirty of the largest would be parsed, pickled and stored as one.
MAX_JOINED_BYTES = 64 * 1024
# Set on a task that must run on its own: later, before a time, or with something to do afterwards.
OWN_CONDITIONS = ("eta", "expires", "group")


def may_join(payload: dict[str, Any], arguments: list[Any], joined_tasks: Collection[str]) -> bool:
    """Whether a message's task has positional arguments only, and nothing that is its own."""
    _, kwargs, embed = arguments
    headers = payload["headers"]
    return (
        headers["task"] in joined_tasks
        and not kwargs
        and len(payload["body"]) <= MAX_JOINED_BYTES
        and not any(embed.values())
        and all(headers.get(name) is None for name in OWN_CONDITIONS)
    )


def likeness(payload: dict[str, Any]) -> str:
    """Only messages that are alike in this join: the task, and the time limit, which Celery sends with each one."""
    headers = payload["headers"]
    return json.dumps([headers["task"], headers.get("timelimit")])


def join(payloads: Sequence[dict[Any, Any]], arguments: Sequence[list[Any]]) -> dict[Any, Any]:
    """One message for several of the same task: the first one's envelope, the arguments of all in their order."""
    first = payloads[0]
    traces = [trace for payload in payloads if (trace := payload["headers"].get(TRACE))]
    headers = {**first["headers"], TRACES: traces, JOINED: len(payloads)}
    if contexts := [context for payload in payloads if (context := payload["headers"].get(CONTEXT))]:
        headers.pop(CONTEXT, None)
        headers[CONTEXTS] = contexts[:MOST_CONTEXTS]
    body = [[argument for one in arguments for argument in one[0]], {}, arguments[0][2]]
    return {**first, "headers": headers, "body": None, DECODED: body}
