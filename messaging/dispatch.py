"""The dispatcher: releases what is due to the outgoing queue, and finds what got lost. Any number may run."""

import logging
import signal
import threading
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from messaging import services, tasks
from messaging.publishing import publish_many
from messaging.services import Logged

logger = logging.getLogger(__name__)

TICK_S = 0.1
# While SQS is away rows wait in the database, where they can still be cancelled, instead of in `queued`.
SQS_WAIT_S = 1.0
DATABASE_WAIT_S = 1.0
ERROR_WAIT_S = 1.0
SWEEPS: tuple[tuple[float, Callable[[], list[Logged]]], ...] = (
    (2.0, services.sweep_orphans),
    (5.0, services.sweep_lost),
    (5.0, services.sweep_expired_leases),
    (60.0, services.sweep_stored_webhooks),
)


class Dispatcher:
    """Ticks until it is told to stop."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._next_sweep = dict.fromkeys((sweep for _, sweep in SWEEPS), 0.0)

    def stop_on_signals(self) -> None:
        """End after the current tick at SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """End after the current tick."""
        self._stopping.set()

    def run(self) -> None:
        """Tick; outlive a database that goes away and comes back."""
        logger.info("dispatcher is ready")
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self.tick()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is away: %s", type(error).__name__)
                connection.close()
                self._stopping.wait(DATABASE_WAIT_S)
            except Exception:  # the process's edge: one row that breaks a sweep must not stop the lane
                logger.exception("a tick failed")
                self._stopping.wait(ERROR_WAIT_S)
            self._stopping.wait(max(0.0, TICK_S - (time.monotonic() - started)))

    def tick(self) -> None:
        """Release what is due on each number, then sweep what is due for sweeping."""
        for number_id in services.numbers_with_due_messages():
            self._publish(services.release(number_id))
        now = time.monotonic()
        for every, sweep in SWEEPS:
            if now >= self._next_sweep[sweep]:
                self._next_sweep[sweep] = now + every
                services.announce_changes(sweep())

    def _publish(self, releases: list[services.Release]) -> None:
        calls = [
            (str(release.release_id), [str(message_id) for message_id in release.message_ids]) for release in releases
        ]
        for release, taken in zip(releases, publish_many(tasks.send, calls), strict=True):
            if not taken:
                services.announce_changes(services.take_back(release, SQS_WAIT_S))
