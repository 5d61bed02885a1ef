"""Liveness: each process reports that it runs and that its work progresses.

    with liveness.alive("dispatcher") as life:
        while …:
            life.progress()

A thread reports every `REPORT_EVERY_S` seconds, so that neither a long task delays the report nor an unavailable store
the work; it closes its connection in between. A clean exit deletes the record; a killed process leaves one that grows
old. The container's health check uses a heartbeat file instead, which needs no store (waproject/heartbeat.py).
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

REPORT_EVERY_S = 15.0
# A process without progress for this long counts as dead, although it still runs.
STALLED_S = 60.0
# How long a stopping process waits for its last report.
FINAL_REPORT_S = 3.0


@dataclass(frozen=True, slots=True)
class Process:
    """A reporting process. kind: its line of the Procfile; name: for people; started_at: a time.time()."""

    kind: str
    name: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=time.time)


class LivenessStore(Protocol):
    """Stores the records. Each call comes from a thread of the reporting process, and may raise."""

    def started(self, process: Process) -> None:
        """The process has started."""

    def seen(self, process: Process) -> None:
        """The process still runs."""

    def stalled(self, process: Process) -> None:
        """The process runs, but its work does not progress."""

    def stopped(self, process: Process) -> None:
        """The process exits cleanly."""

    def names(self, since: float) -> set[str]:
        """The names of all processes that reported within the last `since` seconds."""

    def close(self) -> None:
        """Close the calling thread's connections."""


_stores: list[LivenessStore] = []


def use_store(store: LivenessStore) -> None:
    """Register the store of this program; called once, during set-up."""
    _stores[:] = [store]


def names(since: float) -> set[str]:
    """The names of all processes that reported within the last `since` seconds. Raises the store's exceptions."""
    (store,) = _stores
    try:
        return store.names(since)
    finally:
        store.close()


class LivenessReporter:
    """Reports for one process, from `start` to `end`.

    `request_progress` is called before each report, in the reporting thread; it may make an event loop call `progress`.
    """

    def __init__(self, process: Process, every: float = REPORT_EVERY_S, stalled_after: float = STALLED_S) -> None:
        self.process = process
        self.request_progress: Callable[[], None] = lambda: None
        # Whether the process's work progresses, apart from its loop; called before each report. Idle is progress too.
        self.makes_progress: Callable[[], bool] = lambda: True
        self._every, self._stalled_after = every, stalled_after
        self._heartbeat = Heartbeat(process.kind)
        self._progress: float | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="liveness", daemon=True)

    def start(self) -> None:
        """Start reporting; does nothing without a store."""
        if _stores:
            self._thread.start()

    def progress(self) -> None:
        """Note progress. After the first call, a process that does not call it for `stalled_after` s counts as dead."""
        self._progress = time.monotonic()

    def end(self) -> None:
        """Report a clean exit."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(FINAL_REPORT_S)

    def _run(self) -> None:
        (store,) = _stores
        begun = False
        while not self._ending.is_set():
            self.request_progress()
            loop_hangs, makes_progress = self._stalled(), self.makes_progress()
            if not loop_hangs:
                # Work that stalls does not restart the container: its cause may be the database.
                self._heartbeat.beat()
            if begun and (loop_hangs or not makes_progress):
                self._report(store, store.stalled)
            elif not loop_hangs:
                begun = self._report(store, store.seen if begun else store.started) or begun
            self._ending.wait(self._every)
        self._heartbeat.end()
        self._report(store, store.stopped)

    def _report(self, store: LivenessStore, report: Callable[[Process], None]) -> bool:
        try:
            try:
                report(self.process)
            finally:
                store.close()
        except Exception as error:  # a failing store must not stop the work
            logger.warning("liveness: not recorded: %s", type(error).__name__)
            return False
        return True

    def _stalled(self) -> bool:
        return self._progress is not None and time.monotonic() - self._progress > self._stalled_after


@contextmanager
def alive(kind: str, name: str = "") -> Iterator[LivenessReporter]:
    """Report that this process is alive while the block runs. `name`: by default `kind@host`."""
    life = LivenessReporter(Process(kind, name or f"{kind}@{socket.gethostname()}"))
    life.start()
    try:
        yield life
    finally:
        life.end()
