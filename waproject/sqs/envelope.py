"""The envelope of a Celery message on SQS, checked before Celery sees it.

A malformed envelope ends a stock Celery worker, or kombu deletes the message. Here `check` raises with the fault's
name, and the message stays on the queue for the redrive policy.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from waproject.sqs.json_limits import QUEUED, excess, loads

ARGS_KWARGS_EMBED = 3
TIMES = ("eta", "expires")
RETRIES = "retries"
# The key of a checked payload's decoded body. It is not a string, so JSON cannot contain it.
DECODED = object()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_HEADER


def _is_whole(value: object) -> bool:
    return isinstance(value, int)


def _is_time_limits(value: object) -> bool:
    """[hard, soft] in seconds, each of them or null."""
    return isinstance(value, list) and len(value) == len(("hard", "soft")) and all(map(_is_seconds, value))


def _is_seconds(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and 0 < value <= MAX_TIME_LIMIT_S)


def _is_time(value: object) -> bool:
    """Checked here because Celery would log the message's text with its error."""
    try:
        datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


MAX_HEADER = 1024
# PostgreSQL's text cannot hold these.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_TIME_LIMIT_S = 86_400
# Headers and properties that Celery 5.7 reads in the worker's main process; a wrong type ends the worker.
_HEADERS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("root_id", "parent_id", "group", "shadow", "origin", "lang", "argsrepr", "kwargsrepr"), _is_text),
    **dict.fromkeys(("retries", "group_index", "replaced_task_nesting"), _is_whole),
    **dict.fromkeys(TIMES, _is_time),
    "ignore_result": _is_whole,
    "timelimit": _is_time_limits,
    "stamped_headers": _is_texts,
    "stamps": _is_object,
}
_PROPERTIES: dict[str, Callable[[object], bool]] = {
    "reply_to": _is_text,
    "correlation_id": _is_text,
    "priority": _is_whole,
    "delivery_info": _is_object,
}


class MalformedMessage(ValueError):
    """A message that is not a task of this queue; the text names the fault and never quotes the message."""


def payload_in(body: str) -> dict[Any, Any]:
    """kombu's envelope in an SQS body, which is JSON or base64 of it. Raises MalformedMessage."""
    for decode in (str.encode, base64.b64decode):
        try:
            payload = _json(decode(body))
        except MalformedMessage:
            raise
        except (binascii.Error, ValueError):
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
    if not _is_text(task) or not _is_text(task_id):
        raise MalformedMessage("no task name or id in the headers")
    if _UNSTORABLE.search(str(task_id)):  # the failure of this task could not be recorded
        raise MalformedMessage("an id with a NUL or half of a surrogate pair")
    if task not in known_tasks:
        raise MalformedMessage("a task that does not belong on this queue")
    if payload.get("content-type") != "application/json":
        raise MalformedMessage("not JSON")
    properties = payload.get("properties")
    if not isinstance(properties, dict):
        raise MalformedMessage("no properties")
    for values, checks in ((headers, _HEADERS), (properties, _PROPERTIES)):
        for name, is_right in checks.items():
            if values.get(name) is not None and not is_right(values[name]):
                raise MalformedMessage(f"the header {name} has a wrong type or value")
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


def _decoded_body(payload: Mapping[str, object]) -> object:
    body, properties = payload.get("body"), payload.get("properties")
    if not isinstance(body, str):
        raise MalformedMessage("no body")
    encoding = properties.get("body_encoding") if isinstance(properties, dict) else None
    if encoding not in {None, "base64"}:
        raise MalformedMessage("an unknown body_encoding")
    try:
        return _json(base64.b64decode(body, validate=True) if encoding else body.encode())
    except MalformedMessage:
        raise
    except (binascii.Error, ValueError):
        raise MalformedMessage("the body cannot be decoded") from None


def _json(text: bytes) -> object:
    if fault := excess(text, QUEUED):
        raise MalformedMessage(fault)
    return loads(text)


def without_retries(body: str) -> str:
    """An SQS body for a redrive: the same task without retries, eta and expiry."""
    try:
        payload = payload_in(body)
    except MalformedMessage:
        return body
    headers = payload.get("headers")
    if not isinstance(headers, dict) or not any(headers.get(name) for name in (RETRIES, *TIMES)):
        return body
    fresh = {**headers, RETRIES: 0, **dict.fromkeys(TIMES)}
    return _text({**payload, "headers": fresh})


def _text(payload: Mapping[str, object]) -> str:
    """As JSON that SQS takes: half of a surrogate pair stays escaped."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(payload, separators=(",", ":")) if _SURROGATE.search(text) else text
