"""A wake-up for an event loop, from another thread or a signal handler."""

import contextlib
import os
from collections.abc import Callable
from typing import Any


class Waker:
    """Has a kombu event loop call `woken` soon after any `wake`; several wakes may become one call.

    A pipe of its own. Not `call_soon`: with kombu 5.7 a hub that sleeps in its poll may go on sleeping, 200 tasks a
    second then; and it takes a lock, which a signal's handler must not.
    """

    def __init__(self, hub: Any, woken: Callable[[], None]) -> None:
        self._hub, self._woken = hub, woken
        self._read_end, self._write_end = os.pipe()
        for end in (self._read_end, self._write_end):
            os.set_blocking(end, False)

    def listen(self) -> None:
        """From now on. In the event loop's thread, as are `ignore` and `close`."""
        self._hub.add_reader(self._read_end, self._on_pipe)

    def ignore(self) -> None:
        """From now on; may be followed by `listen`."""
        self._hub.remove(self._read_end)

    def close(self) -> None:
        """After `ignore`, when nobody will call `wake` any more."""
        os.close(self._read_end)
        os.close(self._write_end)

    def wake(self) -> None:
        """Never waits."""
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes it as well
            os.write(self._write_end, b"x")

    def _on_pipe(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._read_end, 4096)
        self._woken()
