"""Several messages as one task: for tasks whose calls may be joined, f(a); f(b) being the same as f(a, b)."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from waproject.sqs.envelope import DECODED

# Set on a task that must run on its own: later, before a time, or with something to do afterwards.
OWN_CONDITIONS = ("eta", "expires", "group", "timelimit")


def may_join(payload: dict[str, Any], arguments: list[Any], joined_tasks: Collection[str]) -> bool:
    """Whether a message's task has positional arguments only, and nothing that is its own."""
    _, kwargs, embed = arguments
    headers = payload["headers"]
    return (
        headers["task"] in joined_tasks
        and not kwargs
        and not any(embed.values())
        and not any(_is_set(headers.get(name)) for name in OWN_CONDITIONS)
    )


def join(payloads: Sequence[dict[Any, Any]], arguments: Sequence[list[Any]]) -> dict[Any, Any]:
    """One message for several of the same task: the first one's envelope, the arguments of all in their order."""
    first = payloads[0]
    body = [[argument for one in arguments for argument in one[0]], {}, arguments[0][2]]
    properties = {**first["properties"], "body_encoding": None}
    return {**first, "body": json.dumps(body), "properties": properties, DECODED: body}


def _is_set(value: object) -> bool:
    return any(value) if isinstance(value, list | tuple) else value is not None
