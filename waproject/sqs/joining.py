"""Joining: several messages as one task, for tasks where `f(a); f(b)` equals `f(a, b)`."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from waproject.sqs.envelope import DECODED

# The header with the id of the request that published a message; those of all joined messages, and their number.
TRACE = "request_id"
TRACES = "request_ids"
JOINED = "joined"
# The header with the W3C context of what caused a message; those of all that were joined, of which none is the parent.
CONTEXT = "traceparent"
CONTEXTS = "traceparents"
MOST_CONTEXTS = 128
# A larger body runs alone: thirty of the largest would be parsed, pickled and stored as one.
MAX_JOINED_BYTES = 64 * 1024
# Headers of a task that must run alone.
OWN_CONDITIONS = ("eta", "expires", "group")


def may_join(payload: dict[str, Any], arguments: list[Any], joined_tasks: Collection[str]) -> bool:
    """Whether a message's task can be joined: a joined task with positional arguments only and no own conditions."""
    _, kwargs, embed = arguments
    headers = payload["headers"]
    return (
        headers["task"] in joined_tasks
        and not kwargs
        and len(payload["body"]) <= MAX_JOINED_BYTES
        and not any(embed.values())
        and all(headers.get(name) is None for name in OWN_CONDITIONS)
    )


def join_key(payload: dict[str, Any]) -> str:
    """Messages join if this is equal: the task and its time limit, which Celery sends with each message."""
    headers = payload["headers"]
    return json.dumps([headers["task"], headers.get("timelimit")])


def join(payloads: Sequence[dict[Any, Any]], arguments: Sequence[list[Any]]) -> dict[Any, Any]:
    """One message from several of the same task: the first one's envelope and the arguments of all, in order."""
    first = payloads[0]
    traces = [trace for payload in payloads if (trace := payload["headers"].get(TRACE))]
    headers = {**first["headers"], TRACES: traces, JOINED: len(payloads)}
    if contexts := [context for payload in payloads if (context := payload["headers"].get(CONTEXT))]:
        headers.pop(CONTEXT, None)
        headers[CONTEXTS] = contexts[:MOST_CONTEXTS]
    body = [[argument for one in arguments for argument in one[0]], {}, arguments[0][2]]
    return {**first, "headers": headers, "body": None, DECODED: body}
