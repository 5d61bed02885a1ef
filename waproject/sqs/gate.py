"""Whether an application can work at all. Consumers receive and start nothing while it cannot, so that an outage of
what it works with, a database say, burns no receive counts.
"""

import logging
import mmap
import random
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

# Between two probes of a closed gate; they are spread out, since many workers ask the same server.
PROBE_FIRST_S, PROBE_LONGEST_S = 0.5, 5.0
# Closed again so soon after it was opened: the probe succeeds and the work fails all the same. The gate stays closed
# for a while then, since each try costs messages a receive.
SETTLED_S = 60.0
RELAPSED_LONGEST_S = 60.0


class Gate:
    """Open until somebody tells of a failure; then closed until `probe` succeeds.

    probe: raises while the application cannot work, within a deadline of its own. It is called in a thread of ours,
    and only after a failure or a doubt: while all is well the gate costs a look at one byte.
    name: what it is about, for the log.

    Make it before workers are forked. A child that `tell`s is heard by its parent, which is the one that receives.
    """

    def __init__(self, name: str, probe: Callable[[], object]) -> None:
        self._name, self._probe = name, probe
        self._told = mmap.mmap(-1, 1)  # anonymous and shared: forked children write to the same byte
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._open = True
        self._opened_at = self._closed_at = float("-inf")
        self._relapses = 0

    def tell(self) -> None:
        """The work has just failed for want of what the gate is about. For every process and thread."""
        self._told[0] = 1

    def doubt(self) -> None:
        """Something takes long. The gate stays open unless the probe fails."""
        with self._lock:
            self._look()

    def is_open(self) -> bool:
        """Whether to receive and to start work; never waits."""
        if self._told[0]:
            with self._lock:
                self._told[0] = 0
                self._close()
                self._look()
        return self._open

    def _close(self) -> None:
        if not self._open:
            return
        self._open, self._closed_at = False, time.monotonic()
        self._relapses = self._relapses + 1 if self._closed_at - self._opened_at < SETTLED_S else 0
        logger.warning("%s is away: this worker receives nothing until it is back", self._name)

    def _look(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._probe_until_open, name="gate-probe", daemon=True)
            self._thread.start()

    def _probe_until_open(self) -> None:
        pause = PROBE_FIRST_S
        if self._relapses:
            time.sleep(min(RELAPSED_LONGEST_S, PROBE_FIRST_S * 2.0 ** min(self._relapses, 10)))
        while not self._probed():
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(PROBE_LONGEST_S, pause * 2)

    def _probed(self) -> bool:
        """Probe once, and open or close the gate; whether it is open."""
        try:
            self._probe()
        except Exception as error:  # whatever it is, it did not succeed
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
