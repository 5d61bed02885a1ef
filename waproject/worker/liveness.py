"""Liveness: each process reports that it lives and that its work moves.

    with liveness.alive("dispatcher") as life:
        while …:
            life.progress()

The word goes out from a thread of its own, every `EVERY_S` seconds, so that neither a long task nor a keeper that is
away holds up the work; in between it holds nothing open. A clean end takes the record away; after a kill it stays, and
grows old. Its container's health check has a heartbeat of its own, which needs no keeper (waproject/heartbeat.py).
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from waproject.heartbeat import Heartbeat

logger = logging.getLogger(__name__)

EVERY_S = 15.0
# A loop that has not come round for so long is taken for dead, although its process is there.
STALLED_S = 60.0
# How long an ending process waits for its last word.
FAREWELL_S = 3.0


@dataclass(frozen=True, slots=True)
class Process:
    """Who lives: `kind` is its line of the Procfile, `name` what people call it; `started_at` is a time.time()."""

    kind: str
    name: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=time.time)


class Keeper(Protocol):
    """Keeps the record. Each call comes from a thread of the process that it is about, and may raise."""

    def begun(self, process: Process) -> None:
        """It has started."""

    def seen(self, process: Process) -> None:
        """It lives."""

    def stalled(self, process: Process) -> None:
        """It lives, but its work does not move."""

    def ended(self, process: Process) -> None:
        """It ends as it was told to."""

    def names(self, since: float) -> set[str]:
        """The names of all that were seen in the last `since` seconds."""

    def close(self) -> None:
        """Let go of what the calling thread has open."""


_keepers: list[Keeper] = []


def keep_with(keeper: Keeper) -> None:
    """Register the keeper of this program's record; called once, while the program is set up."""
    _keepers[:] = [keeper]


def names(since: float) -> set[str]:
    """The names of all processes that said in the last `since` seconds that they live. Raises what the keeper does."""
    (keeper,) = _keepers
    try:
        return keeper.names(since)
    finally:
        keeper.close()


class Life:
    """One process's word, from `start` to `end`.

    `ask` is called before each word, in its thread, to have the process's event loop call `progress`; by default nobody
    is asked.
    """

    def __init__(self, process: Process, every: float = EVERY_S, stalled_after: float = STALLED_S) -> None:
        self.process = process
        self.ask: Callable[[], None] = lambda: None
        # Whether the process's work moves, apart from its loop; asked before each report. An idle process moves.
        self.works: Callable[[], bool] = lambda: True
        self._every, self._stalled_after = every, stalled_after
        self._heartbeat = Heartbeat(process.kind)
        self._progress: float | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="liveness", daemon=True)

    def start(self) -> None:
        """Begin; without a keeper this does nothing."""
        if _keepers:
            self._thread.start()

    def progress(self) -> None:
        """The work goes on. Who calls this once must call it again: a loop that hangs shall not pass for alive."""
        self._progress = time.monotonic()

    def end(self) -> None:
        """A clean end."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(FAREWELL_S)

    def _run(self) -> None:
        (keeper,) = _keepers
        begun = False
        while not self._ending.is_set():
            self.ask()
            loop_hangs, works = self._stalled(), self.works()
            if not loop_hangs:
                # Work that stalls does not restart the container: its cause may be the database.
                self._heartbeat.beat()
            if begun and (loop_hangs or not works):
                self._tell(keeper, keeper.stalled)
            elif not loop_hangs:
                begun = self._tell(keeper, keeper.seen if begun else keeper.begun) or begun
            self._ending.wait(self._every)
        self._heartbeat.end()
        self._tell(keeper, keeper.ended)

    def _tell(self, keeper: Keeper, word: Callable[[Process], None]) -> bool:
        try:
            try:
                word(self.process)
            finally:
                keeper.close()
        except Exception as error:  # the record's fault is not the work's; an end not told leaves a row that grows old
            logger.warning("liveness: not recorded: %s", type(error).__name__)
            return False
        return True

    def _stalled(self) -> bool:
        return self._progress is not None and time.monotonic() - self._progress > self._stalled_after


@contextmanager
def alive(kind: str, name: str = "") -> Iterator[Life]:
    """Say that this process lives while the block runs. `name`: by default `kind@host`."""
    life = Life(Process(kind, name or f"{kind}@{socket.gethostname()}"))
    life.start()
    try:
        yield life
    finally:
        life.end()
