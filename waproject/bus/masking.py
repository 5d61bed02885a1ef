"""Masking on the bus: arguments, results and error texts never travel."""

import re
from collections.abc import Mapping
from typing import Any

# A field that is not here stays in the worker, also one that a later Celery adds.
EVENT_FIELDS = {
    *("type", "hostname", "pid", "clock", "timestamp", "utcoffset"),
    *("uuid", "name", "root_id", "parent_id", "retries", "eta", "expires", "runtime"),
    *("terminated", "signum", "expired", "requeue"),
    *("freq", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys"),
}
# In the answers of `inspect active` and its like.
PRIVATE = {"args", "kwargs", "argsrepr", "kwargsrepr", "result", "exception", "traceback"}
MASK = "…"
ERROR_CLASS = re.compile(r"[A-Za-z_][\w.]*(?=\()")


def event(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A worker's or a task's event without what it was about; of an exception its class remains."""
    kept = {name: value for name, value in fields.items() if name in EVENT_FIELDS}
    if "exception" in fields and (named := ERROR_CLASS.match(str(fields["exception"]))):
        kept["exception"] = named[0]
    return kept


def reply(value: Any) -> Any:
    """A worker's answer, as JSON can say it, without the arguments of tasks."""
    if isinstance(value, Mapping):
        return {str(name): MASK if name in PRIVATE else reply(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [reply(each) for each in value]
    return value if isinstance(value, str | int | float | None) else str(value)
