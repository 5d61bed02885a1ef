"""A wake-up for an event loop, from another thread or a signal handler."""

import contextlib
import os
from collections.abc import Callable
from typing import Any


class Waker:
    """Makes a kombu event loop call `woken` soon after `wake`; several wakes may result in one call.

    It uses a pipe instead of `call_soon`: kombu 5.7 does not interrupt a hub that sleeps in its poll, which limits a
    worker to 200 tasks a second, and `call_soon` takes a lock, which a signal handler must not.
    """

    def __init__(self, hub: Any, woken: Callable[[], None]) -> None:
        self._hub, self._woken = hub, woken
        self._read_end, self._write_end = os.pipe()
        for end in (self._read_end, self._write_end):
            os.set_blocking(end, False)

    def attach(self) -> None:
        """Start reacting to `wake`. Call it, `detach` and `close` in the event loop's thread."""
        self._hub.add_reader(self._read_end, self._on_pipe)

    def detach(self) -> None:
        """Stop reacting to `wake`, until the next `attach`."""
        self._hub.remove(self._read_end)

    def close(self) -> None:
        """Close the pipe: after `detach`, once no thread calls `wake` any more."""
        os.close(self._read_end)
        os.close(self._write_end)

    def wake(self) -> None:
        """Wake the event loop. Never blocks."""
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes it as well
            os.write(self._write_end, b"x")

    def _on_pipe(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._read_end, 4096)
        self._woken()
