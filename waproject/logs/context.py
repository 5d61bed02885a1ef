"""Log context: the ids of the current request or task and of the messages it touches.

with work(request_id="…") as touched:
    …                                  # every line here has the id
touched.fields()                       # {"messages": 2, "message_ids": ["…", "…"]}
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from waproject.logs.masking import mask

# A campaign's task touches hundreds; its line names the first ones and the number of all.
MOST_IDS = 10
# What a proxy or a client may call a request: no line break, no quote, and short.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._=:-]{1,64}")


class Touched:
    """The messages that a piece of work touched, each once."""

    def __init__(self) -> None:
        self._ids: dict[UUID, None] = {}

    def add(self, ids: Iterable[UUID]) -> None:
        """Add some, by our own ids."""
        self._ids.update(dict.fromkeys(ids))

    def fields(self) -> dict[str, Any]:
        """For a line; empty where it touched none."""
        if not self._ids:
            return {}
        first = [str(message_id) for message_id, _ in zip(self._ids, range(MOST_IDS), strict=False)]
        return {"messages": len(self._ids), "message_ids": first}


_touched: ContextVar[Touched | None] = ContextVar("touched", default=None)


@contextmanager
def work(**ids: Any) -> Iterator[Touched]:
    """A piece of work with these ids, which all lines inside get."""
    touched = Touched()
    before, tokens = _touched.set(touched), bind_contextvars(**ids)
    try:
        yield touched
    finally:
        reset_contextvars(**tokens)
        _touched.reset(before)


def note_messages(ids: Iterable[UUID]) -> None:
    """The work under way, if there is any, touched these messages."""
    if (touched := _touched.get()) is not None:
        touched.add(ids)


def current_request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    return str(get_contextvars().get("request_id", ""))


def is_request_id(value: object) -> bool:
    """Whether this can be the id of a request: short, harmless in a log, and no phone number."""
    return isinstance(value, str) and bool(_REQUEST_ID.fullmatch(value)) and mask(value) == value
