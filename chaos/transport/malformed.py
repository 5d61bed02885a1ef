"""Malformed messages: each ends a stock Celery worker, or is deleted without a log line."""

import base64
import json
import pickle
from typing import Any

# Celery reads these in the worker's main process, where a wrong type ends the worker or blocks one process of its pool.
ODD_HEADERS: list[tuple[str, Any]] = [
    ("timelimit", 7),
    ("timelimit", [1]),
    ("timelimit", ["soon", None]),
    ("timelimit", [-1, None]),
    ("stamped_headers", 7),
    ("stamped_headers", [[]]),
    ("stamps", [1]),
    ("shadow", {"a": 1}),
    ("eta", "0001-01-01T00:00:00+14:00"),
    ("eta", 20300101),
    ("retries", "many"),
    ("root_id", []),
    ("ignore_result", {}),
]
ODD_PROPERTIES: list[tuple[str, Any]] = [
    ("correlation_id", {}),
    ("reply_to", [1]),
    ("priority", "x"),
    ("delivery_info", 3),
]


def bodies(task: str) -> dict[str, str]:
    """By what is wrong with them. `task`: one that the queue carries, for those that are nearly right."""
    return {
        "raw text": "hello",
        "no JSON object": "[1, 2]",
        "an empty object": "{}",
        "foreign JSON": '{"order": 7}',
        "a pickle": base64.b64encode(pickle.dumps({"a": 1})).decode(),
        "no id": _message(task, headers={"task": task}),
        "an unknown task": _message(task, headers={"id": "1", "task": "os.system"}),
        "a body that is no JSON": _message(task, body=base64.b64encode(b"not json").decode()),
        "a body that is no list": _message(task, body=base64.b64encode(b"{}").decode()),
        "a body without kwargs": _message(task, body=base64.b64encode(b"[[]]").decode()),
        "a body in bad base64": _message(task, body="%%%"),
        "no body": _message(task, body=None),
        "an unknown body_encoding": _message(task, properties={"body_encoding": "rot13"}),
        "another content type": _message(task, **{"content-type": "application/x-python-serialize"}),
        "an eta that is no time": _message(task, headers={"id": "1", "task": task, "eta": "soon"}),
        "an expiry that is no time": _message(task, headers={"id": "1", "task": task, "expires": {"a": 1}}),
        **{
            f"{name} is {value!r}": _message(task, headers={"id": "1", "task": task, name: value})
            for name, value in ODD_HEADERS
        },
        **{
            f"{name} is {value!r}": _message(task, properties={"body_encoding": "base64", name: value})
            for name, value in ODD_PROPERTIES
        },
        "arguments nested too deeply": _message(task, body=_arguments("[" * 490 + "]" * 490)),
        "arguments nested far too deeply": _message(task, body=_arguments('{"a":' * 5000 + "1" + "}" * 5000)),
        "headers nested too deeply": _message(task)[:-1] + ', "trace": ' + "[" * 490 + "]" * 490 + "}",
        "an endless number": _message(task, body=_arguments("9" * 5000)),
        "too many elements": _message(task, body=_arguments("[" + "[]," * 150_000 + "[]]")),
    }


def count(each: int) -> int:
    """How many messages `each` of every kind are."""
    return each * len(bodies(""))


def _arguments(text: str) -> str:
    """A body whose one argument is this JSON."""
    return base64.b64encode(f"[[{text}],{{}},{{}}]".encode()).decode()


def _message(task: str, **changes: Any) -> str:
    message = {
        "body": base64.b64encode(json.dumps([[[]], {}, {}]).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"id": "1", "task": task, "lang": "py"},
        "properties": {"body_encoding": "base64", "delivery_info": {"routing_key": "incoming"}},
    }
    return json.dumps({**message, **changes})
