"""Masking on the bus: arguments, results and error texts never travel."""

import re
from collections.abc import Mapping
from typing import Any

# Only these fields of an event are sent, so fields that a later Celery adds are not.
EVENT_FIELDS = {
    *("type", "hostname", "pid", "clock", "timestamp", "utcoffset"),
    *("uuid", "name", "root_id", "parent_id", "retries", "eta", "expires", "runtime"),
    *("terminated", "signum", "expired", "requeue"),
    *("freq", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys"),
}
# Masked in replies, such as those of `inspect active`.
PRIVATE = {"args", "kwargs", "argsrepr", "kwargsrepr", "result", "exception", "traceback"}
MASK = "…"
# Celery's dumper reads these of every received task.
UNSENT = {"args": MASK, "kwargs": MASK}
ERROR_CLASS = re.compile(r"[A-Za-z_][\w.]*(?=\()")


def event(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event without arguments, results and error texts; only the class of an exception remains."""
    kept = {name: value for name, value in fields.items() if name in EVENT_FIELDS}
    if "exception" in fields and (named := ERROR_CLASS.match(str(fields["exception"]))):
        kept["exception"] = named[0]
    return kept


def reply(value: Any) -> Any:
    """A worker's reply as JSON values, without task arguments."""
    if isinstance(value, Mapping):
        return {str(name): MASK if name in PRIVATE else reply(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [reply(each) for each in value]
    return value if isinstance(value, str | int | float | None) else str(value)
