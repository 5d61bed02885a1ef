"""A gate that stops consumers while a dependency of their tasks, such as a database, is unavailable.

A closed gate stops receiving and starting tasks, so that an outage uses up no receive counts.
"""

import logging
import mmap
import threading
import time
from collections.abc import Callable

from waproject.sqs.back_off import back_off

logger = logging.getLogger(__name__)

# The pause between two probes of a closed gate, with jitter, since many workers probe the same server.
PROBE_FIRST_S, PROBE_MAX_S = 0.5, 5.0
# A gate that closes again within this time has relapsed: the probe succeeds, but tasks still fail. Each time it then
# stays closed for longer, with the same jitter, since each attempt costs a message one receive.
STABLE_AFTER_S = 60.0
RELAPSE_MAX_S = 60.0


class Gate:
    """Open until a task reports a failure; then closed until `probe` succeeds.

    probe: raises while the dependency is unavailable; it must have its own deadline. It runs in the gate's own thread,
    and only after `report_failure` or `probe_soon`: an open gate costs one memory read.
    name: the dependency's name in log lines.

    Create it before forking: a child's `report_failure` then reaches the parent, which receives the messages.
    """

    def __init__(self, name: str, probe: Callable[[], object]) -> None:
        self._name, self._probe = name, probe
        self._failure_reported = mmap.mmap(-1, 1)  # anonymous and shared: forked children write to the same byte
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._open = True
        self._opened_at = self._closed_at = float("-inf")
        self._relapses = 0

    def report_failure(self) -> None:
        """Report a task that failed because the dependency was unavailable. From any process and thread."""
        self._failure_reported[0] = 1

    def probe_soon(self) -> None:
        """Probe now, because a task is slow. The gate stays open unless the probe fails."""
        with self._lock:
            self._start_probing()

    def is_open(self) -> bool:
        """Whether to receive messages and start tasks. Never blocks, never raises."""
        if self._failure_reported[0]:
            with self._lock:
                self._failure_reported[0] = 0
                self._close()
        if not self._open and self._thread is None:
            with self._lock:
                if not self._open:
                    self._start_probing()
        return self._open

    def _close(self) -> None:
        if not self._open:
            return
        self._open, self._closed_at = False, time.monotonic()
        self._relapses = self._relapses + 1 if self._closed_at - self._opened_at < STABLE_AFTER_S else 0
        logger.warning("%s is unavailable: this worker receives nothing until it is back", self._name)

    def _start_probing(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._probe_until_open, name="gate-probe", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the host has no thread left; the next look at a closed gate tries again
            logger.warning("%s cannot be probed now: no thread can be started", self._name)
            return
        self._thread = thread

    def _probe_until_open(self) -> None:
        failures = 0
        if self._relapses:
            time.sleep(back_off(self._relapses + 1, PROBE_FIRST_S, RELAPSE_MAX_S))
        while not self._probe_once():
            failures += 1
            time.sleep(back_off(failures, PROBE_FIRST_S, PROBE_MAX_S))

    def _probe_once(self) -> bool:
        """Probe once and open or close the gate. Returns whether it is open."""
        try:
            self._probe()
        except Exception as error:  # a probe may raise any exception
            logger.debug("%s: the probe failed: %s", self._name, type(error).__name__)
            with self._lock:
                self._close()
            return False
        with self._lock:
            if not self._open:
                self._open, self._opened_at = True, time.monotonic()
                logger.warning("%s is back after %.1f s", self._name, self._opened_at - self._closed_at)
            self._thread = None
        return True
