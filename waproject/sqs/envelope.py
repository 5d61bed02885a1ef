"""The envelope of a Celery message on SQS, checked before Celery sees it.

Stock kombu and Celery end the whole worker, or delete the message, when one does not fit. Here it is called by its
fault instead, and stays on the queue for the redrive policy.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

ARGS_KWARGS_EMBED = 3
TIMES = ("eta", "expires")
RETRIES = "retries"
# Where a payload that was checked keeps its decoded body; no string, so no message can bring one along.
DECODED = object()


class MalformedMessage(ValueError):
    """Why a message is no task for this queue; the text names the fault and never quotes the message."""


def payload_in(body: str) -> dict[Any, Any]:
    """kombu's envelope in an SQS body, JSON as it is or in base64. Raises MalformedMessage."""
    for decode in (str.encode, base64.b64decode):
        try:
            payload = json.loads(decode(body))
        except (binascii.Error, ValueError, RecursionError):
            continue
        if isinstance(payload, dict):
            return payload
    raise MalformedMessage("no Celery envelope")


def check(payload: Mapping[str, object], known_tasks: Collection[str]) -> list[Any]:
    """The decoded [args, kwargs, embed] of a protocol 2 task message that this queue carries, or MalformedMessage.

    payload: kombu's envelope {body, headers {id, task, …}, content-type, properties {body_encoding, …}}.
    """
    headers = payload.get("headers")
    if not isinstance(headers, dict):
        raise MalformedMessage("no Celery envelope")
    task, task_id = headers.get("task"), headers.get("id")
    if not isinstance(task, str) or not isinstance(task_id, str):
        raise MalformedMessage("no task name or id in the headers")
    if task not in known_tasks:
        raise MalformedMessage("a task that this queue does not carry")
    if payload.get("content-type") != "application/json":
        raise MalformedMessage("not JSON")
    if not isinstance(payload.get("properties"), dict):
        raise MalformedMessage("no properties")
    for name in TIMES:
        if (time := headers.get(name)) is not None:
            _check_time(time)
    return arguments_in(payload)


def arguments_in(payload: Mapping[str, object]) -> list[Any]:
    """The decoded [args, kwargs, embed]. Raises MalformedMessage."""
    arguments = _decoded_body(payload)
    if not isinstance(arguments, list) or len(arguments) != ARGS_KWARGS_EMBED:
        raise MalformedMessage("the body is not [args, kwargs, embed]")
    args, kwargs, embed = arguments
    if not isinstance(args, list) or not isinstance(kwargs, dict) or not isinstance(embed, dict):
        raise MalformedMessage("the body is not [args, kwargs, embed]")
    return arguments


def _check_time(time: object) -> None:
    """Celery would refuse a wrong one too, and write the message's text into the log."""
    try:
        datetime.fromisoformat(str(time))
    except ValueError:
        raise MalformedMessage("an eta or expiry that is no time") from None


def _decoded_body(payload: Mapping[str, object]) -> object:
    body, properties = payload.get("body"), payload.get("properties")
    if not isinstance(body, str):
        raise MalformedMessage("no body")
    encoding = properties.get("body_encoding") if isinstance(properties, dict) else None
    if encoding not in {None, "base64"}:
        raise MalformedMessage("an unknown body_encoding")
    try:
        return json.loads(base64.b64decode(body, validate=True) if encoding else body)
    except (binascii.Error, ValueError, RecursionError):
        raise MalformedMessage("the body cannot be decoded") from None


def untried(body: str) -> str:
    """An SQS body for sending it once more: a task without its retries, eta and expiry, all else as it is."""
    try:
        payload = payload_in(body)
    except MalformedMessage:
        return body
    headers = payload.get("headers")
    if not isinstance(headers, dict) or not any(headers.get(name) for name in (RETRIES, *TIMES)):
        return body
    fresh = {**headers, RETRIES: 0, **dict.fromkeys(TIMES)}
    return json.dumps({**payload, "headers": fresh}, ensure_ascii=False, separators=(",", ":"))
