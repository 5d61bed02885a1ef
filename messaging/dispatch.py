"""The dispatcher process: releases due messages and recovers lost ones. Any number may run.

While SQS is away it delivers by itself, with the worker's own functions, what it releases and what was queued before;
copies that SQS brings back later find nothing to claim.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from messaging.access.idempotency import sweep_idempotency_keys
from messaging.access.login_throttle import sweep_login_throttle
from messaging.incoming.statuses import sweep_orphans
from messaging.incoming.store import sweep_stored_webhooks
from messaging.outgoing import call_pool, tasks
from messaging.outgoing.claim_and_record import claim, traced
from messaging.outgoing.dead_letter_publisher import publish_dead_letter
from messaging.outgoing.holds.holds import sweep_holds
from messaging.outgoing.lost_answers.incoming_queue_monitor import IncomingWatch
from messaging.outgoing.lost_answers.unknown_outcomes import has_unknown, sweep_unknown
from messaging.outgoing.recovery import (
    queued_releases,
    sweep_expired,
    sweep_expired_leases,
    sweep_lost,
    sweep_pairs,
    take_back,
)
from messaging.outgoing.redrive import dead_lettered, exhausted
from messaging.outgoing.release import Release, inbound_rates, numbers_with_due_messages, release
from messaging.task_publisher import SqsAway, publish
from messaging.traces import contexts_of
from waproject import tracing

logger = logging.getLogger(__name__)

TICK_S = 0.05
# A tick that released several is followed by a longer one: from 40 messages a second on they travel in fewer, fuller
# tasks, each of which costs a send, a receive and a delete.
BUSY_TICK_S = 0.1
BUSY_ROWS = 4
DATABASE_WAIT_S = 1.0
ERROR_WAIT_S = 1.0
INBOUND_EVERY_S = 1.0
# Calls of its own at once, while SQS is away: enough for the pace of one number, and no more than one thread pool.
OWN_CALLS = 60
# Rows that were queued so long are not with a worker: SQS, which has their task, is away.
QUEUED_S = 1.0
# After SQS refused a task the dispatcher delivers for so long before it asks SQS again.
SQS_WAIT_S = 1.0
DRAIN_S = 25


_incoming = IncomingWatch()


def _sweep_unknown() -> None:
    if has_unknown():
        sweep_unknown(_incoming.evidence())


def _drain_exhausted() -> None:
    letters = exhausted()
    for letter in letters:
        publish_dead_letter("outgoing", tasks.revive, str(letter.message_id), letter.generation)
    dead_lettered(letters)


SWEEPS: tuple[tuple[float, Callable[[], None]], ...] = (
    (1.0, sweep_holds),
    (1.0, sweep_expired),
    (2.0, sweep_orphans),
    (2.0, _sweep_unknown),
    (5.0, sweep_lost),
    (5.0, sweep_expired_leases),
    (5.0, _drain_exhausted),
    (10.0, sweep_pairs),
    (60.0, sweep_stored_webhooks),
    (60.0, sweep_idempotency_keys),
    (60.0, sweep_login_throttle),
)


class Dispatcher:
    """Ticks until it is told to stop."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._next_sweep = dict.fromkeys((sweep for _, sweep in SWEEPS), 0.0)
        self._inbound: dict[int, float] = {}
        self._next_inbound = 0.0
        self._own_until = 0.0

    def stop_on_signals(self) -> None:
        """End after the current tick at SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """End after the current tick."""
        self._stopping.set()

    def run(self, each_tick: Callable[[], None] = lambda: None) -> None:
        """Tick, calling `each_tick` every time; outlive a database that goes away and comes back."""
        logger.info("dispatcher is ready")
        while not self._stopping.is_set():
            each_tick()
            started = time.monotonic()
            released = 0
            try:
                released = self.tick()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is away: %s", type(error).__name__)
                connection.close()
                self._stopping.wait(DATABASE_WAIT_S)
            except Exception:  # the process's edge: one row that breaks a release must not stop the lane
                logger.exception("a tick failed")
                self._stopping.wait(ERROR_WAIT_S)
            every = BUSY_TICK_S if released >= BUSY_ROWS else TICK_S
            self._stopping.wait(max(0.0, every - (time.monotonic() - started)))
        call_pool.close(DRAIN_S)

    def tick(self) -> int:
        """Release what is due on each number, then sweep what is due for sweeping. Returns how many were released."""
        released = 0
        for number_id in numbers_with_due_messages():
            for batch in release(number_id, self._inbound_rate(number_id), self._room()):
                released += len(batch.message_ids)
                self._publish(batch)
        if self._delivers_itself():
            for batch in queued_releases(QUEUED_S, self._room() or 0):
                self._deliver(batch)
        self._sweep()
        return released

    def _publish(self, batch: Release) -> None:
        if self._delivers_itself():
            self._deliver(batch)
            return
        try:
            with tracing.span("release", contexts_of(batch.message_ids).values()):
                publish(tasks.send, (str(batch.release_id), [str(message_id) for message_id in batch.message_ids]))
        except SqsAway:
            self._own_until = time.monotonic() + SQS_WAIT_S
            self._deliver(batch)

    def _delivers_itself(self) -> bool:
        return time.monotonic() < self._own_until

    def _room(self) -> int | None:
        """How many messages may be released: as many as there are calls of our own free, while we need those."""
        return call_pool.sender(OWN_CALLS).free() if self._delivers_itself() else None

    def _deliver(self, batch: Release) -> None:
        """What a worker does. Too much for the free calls goes back: it keeps its turn, and can still be cancelled."""
        own = call_pool.sender(OWN_CALLS)
        if len(batch.message_ids) > own.free():
            take_back(batch)
            return
        for claimed in traced(claim([batch])):
            own.send(claimed)

    def _inbound_rate(self, number_id: int) -> float:
        if time.monotonic() >= self._next_inbound:
            self._next_inbound = time.monotonic() + INBOUND_EVERY_S
            self._inbound = inbound_rates()
        return self._inbound.get(number_id, 0.0)

    def _sweep(self) -> None:
        """Each sweep has its own guard: one that fails must keep neither the others nor the release from their work."""
        now = time.monotonic()
        for every, sweep in SWEEPS:
            if now < self._next_sweep[sweep]:
                continue
            self._next_sweep[sweep] = now + every
            try:
                sweep()
            except SqsAway:
                logger.info("%s waits for SQS", sweep.__name__)
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                logger.exception("the sweep %s failed", sweep.__name__)
