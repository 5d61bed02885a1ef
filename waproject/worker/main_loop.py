"""The main loop of the dispatcher, of `deliver` and of the monitor: steps until a signal, whatever fails."""

import logging
import signal
import threading
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

# The pause after a failed step: of the database, which may be restarting, or of our own code.
ERROR_WAIT_S = 1.0


class MainLoop:
    """Calls `step` until `stop`; `step` returns the seconds from its beginning to the beginning of the next one.

    A step that fails is logged, and the next one follows after `error_wait_s`. After a database error the connection is
    closed, `on_outage` is called, and the next step opens another.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], float],
        *,
        error_wait_s: float = ERROR_WAIT_S,
        on_outage: Callable[[], None] = lambda: None,
    ) -> None:
        self._name, self._step = name, step
        self._error_wait_s, self._on_outage = error_wait_s, on_outage
        self._stopping = False
        self._wake = threading.Event()

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """End after the current step."""
        self._stopping = True
        self._wake.set()

    def wake(self) -> None:
        """Begin the next step now. From any thread."""
        self._wake.set()

    def run(self, each_step: Callable[[], None] = lambda: None) -> None:
        """Step until `stop`, calling `each_step` before each."""
        logger.info("%s is ready", self._name)
        while not self._stopping:
            wait = self._run_once(each_step)
            if not self._stopping:
                self._wake.wait(wait)

    def run_while(
        self, condition: Callable[[], bool], timeout: float, each_step: Callable[[], None] = lambda: None
    ) -> None:
        """Continue after `stop` while `condition` holds, for at most `timeout` seconds: to finish what is running."""
        deadline = time.monotonic() + timeout
        while condition() and time.monotonic() < deadline:
            self._wake.wait(self._run_once(each_step))

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def _run_once(self, each_step: Callable[[], None]) -> float:
        """Seconds to wait for the next step."""
        each_step()
        started = time.monotonic()
        self._wake.clear()
        try:
            wait = self._step()
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database is unreachable: %s", type(error).__name__)
            connection.close()
            self._on_outage()
            wait = self._error_wait_s
        except Exception:  # the process's edge: one failure must not end the process
            logger.exception("a step of the %s failed", self._name)
            wait = self._error_wait_s
        return max(0.0, wait - (time.monotonic() - started))
