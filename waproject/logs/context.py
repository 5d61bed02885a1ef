"""Log context: the ids of the current request or task and of the messages it touches.

with log_context(request_id="…") as touched:
    …                                  # every line in here has the id
touched.fields()                       # {"messages": 2, "message_ids": ["…", "…"]}
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any
from uuid import UUID

from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from waproject.logs.masking import mask

# A task may touch hundreds of messages; its line has the number of all and the ids of the first ones.
MAX_IDS = 10
# A request id from a proxy or client: short, without line breaks and quotes.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._=:-]{1,64}")


class TouchedMessages:
    """The distinct messages that a request or task touched."""

    def __init__(self) -> None:
        self._ids: dict[UUID, None] = {}

    def add(self, ids: Iterable[UUID]) -> None:
        """Add messages by our own ids."""
        self._ids.update(dict.fromkeys(ids))

    def fields(self) -> dict[str, Any]:
        """Fields for the log line; empty without messages."""
        if not self._ids:
            return {}
        first = [str(message_id) for message_id in islice(self._ids, MAX_IDS)]
        return {"messages": len(self._ids), "message_ids": first}


_touched: ContextVar[TouchedMessages | None] = ContextVar("touched", default=None)


@contextmanager
def log_context(**ids: Any) -> Iterator[TouchedMessages]:
    """The context of one request or task: all log lines inside have these ids."""
    touched = TouchedMessages()
    before, tokens = _touched.set(touched), bind_contextvars(**ids)
    try:
        yield touched
    finally:
        reset_contextvars(**tokens)
        _touched.reset(before)


def note_messages(ids: Iterable[UUID]) -> None:
    """Add messages to the current request or task, if there is one."""
    if (touched := _touched.get()) is not None:
        touched.add(ids)


def current_request_id() -> str:
    """The id of the current request; empty outside of one."""
    return str(get_contextvars().get("request_id", ""))


def is_request_id(value: object) -> bool:
    """Whether the value is a valid request id: short, safe to log, and no phone number."""
    return isinstance(value, str) and bool(_REQUEST_ID.fullmatch(value)) and mask(value) == value
