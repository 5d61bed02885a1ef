"""The dispatcher process: releases due messages and recovers lost ones. Any number may run.

Direct delivery: during an SQS outage the dispatcher itself claims and sends what it releases and what was queued
before, with the worker's functions. Tasks that SQS delivers later find nothing to claim.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from messaging.access.idempotency import sweep_idempotency_keys
from messaging.access.login_throttle import sweep_login_throttle
from messaging.incoming.statuses import sweep_orphans
from messaging.incoming.store import sweep_stored_webhooks
from messaging.outgoing import call_pool, tasks
from messaging.outgoing.claims import claim, with_contexts
from messaging.outgoing.dead_letter_publisher import publish_dead_letter
from messaging.outgoing.holds.holds import sweep_holds
from messaging.outgoing.holds.messaging_limit import sweep_messaging_limits
from messaging.outgoing.lost_answers.incoming_queue_monitor import IncomingQueueMonitor
from messaging.outgoing.lost_answers.unknown_outcomes import has_unknown_outcomes, sweep_unknown
from messaging.outgoing.recovery import (
    queued_releases,
    sweep_expired,
    sweep_expired_leases,
    sweep_pairs,
    sweep_unclaimed,
    undo_release,
)
from messaging.outgoing.redrive import exhausted_messages, mark_dead_lettered
from messaging.outgoing.release import Release, inbound_rates, numbers_with_due_messages, release
from messaging.task_publisher import SqsUnavailable, publish
from messaging.traces import contexts_of
from waproject import tracing
from waproject.worker.database_gate import is_database_unavailable
from waproject.worker.main_loop import ERROR_WAIT_S, MainLoop

logger = logging.getLogger(__name__)

TICK_S = 0.05
# After a tick that released several messages the next one waits longer: from 40 messages a second on, fewer and fuller
# tasks save SQS requests, of which each task costs a send, a receive and a delete.
BUSY_TICK_S = 0.1
BUSY_MESSAGES = 4
INBOUND_EVERY_S = 1.0
# Parallel calls of direct delivery: enough for the pace of one number.
DIRECT_CALLS = 60
# A row that has been queued this long during an outage has its task in SQS, where no worker gets it.
STUCK_AFTER_S = 1.0
# After a failed publish the dispatcher delivers directly for this long before it tries SQS again.
SQS_RETRY_S = 1.0
# How long the end of the process waits for a running poll of the incoming queue.
POLL_S = 2


_incoming_queue = IncomingQueueMonitor()


def _sweep_unknown() -> None:
    if has_unknown_outcomes():
        sweep_unknown(_incoming_queue.evidence())


def _publish_exhausted() -> None:
    letters = exhausted_messages()
    for letter in letters:
        publish_dead_letter("outgoing", tasks.revive, str(letter.message_id), letter.generation)
    mark_dead_lettered(letters)


SWEEPS: tuple[tuple[float, Callable[[], None]], ...] = (
    (1.0, sweep_holds),
    (1.0, sweep_messaging_limits),
    (1.0, sweep_expired),
    (2.0, sweep_orphans),
    (2.0, _sweep_unknown),
    (5.0, sweep_unclaimed),
    (5.0, sweep_expired_leases),
    (5.0, _publish_exhausted),
    (5.0, sweep_idempotency_keys),
    (10.0, sweep_pairs),
    (60.0, sweep_stored_webhooks),
    (60.0, sweep_login_throttle),
)


class Dispatcher:
    """Ticks until `stop`."""

    def __init__(self) -> None:
        self._loop = MainLoop("dispatcher", self._step)
        self._next_sweep = dict.fromkeys((sweep for _, sweep in SWEEPS), 0.0)
        self._inbound: dict[int, float] = {}
        self._next_inbound = 0.0
        self._direct_until = 0.0
        # When a number whose release has failed may try again.
        self._rests_until: dict[int, float] = {}

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM or SIGINT."""
        self._loop.stop_on_signals()

    def stop(self) -> None:
        """End after the current tick."""
        self._loop.stop()

    def run(self, each_tick: Callable[[], None] = lambda: None) -> None:
        """Tick until `stop`, calling `each_tick` every time; then finish the calls of direct delivery."""
        self._loop.run(each_tick)
        _incoming_queue.stop(POLL_S)
        call_pool.close()

    def _step(self) -> float:
        return BUSY_TICK_S if self.tick() >= BUSY_MESSAGES else TICK_S

    def tick(self) -> int:
        """Release due messages of each number, then run due sweeps. Returns the number of released messages.

        A number whose release fails keeps no other, and no sweep, from its turn, and rests for a moment.
        """
        released = 0
        for number_id in numbers_with_due_messages():
            if time.monotonic() >= self._rests_until.get(number_id, 0.0):
                self._rests_until[number_id] = time.monotonic() + ERROR_WAIT_S
                with _apart_from_others(f"the release of number {number_id}"):
                    released += self._release(number_id)
                    self._rests_until.pop(number_id)
        if self._is_direct():
            for batch in queued_releases(STUCK_AFTER_S, self._release_limit() or 0):
                self._deliver(batch)
        self._sweep()
        return released

    def _release(self, number_id: int) -> int:
        released = 0
        for batch in release(number_id, self._inbound_rate(number_id), self._release_limit()):
            released += len(batch.message_ids)
            self._publish(batch)
        return released

    def _publish(self, batch: Release) -> None:
        if self._is_direct():
            self._deliver(batch)
            return
        try:
            with tracing.span("release", contexts_of(batch.message_ids).values()):
                publish(tasks.send, (str(batch.release_id), [str(message_id) for message_id in batch.message_ids]))
        except SqsUnavailable:
            self._direct_until = time.monotonic() + SQS_RETRY_S
            self._deliver(batch)

    def _is_direct(self) -> bool:
        return time.monotonic() < self._direct_until

    def _release_limit(self) -> int | None:
        """How many messages may be released: the free calls during direct delivery, else no limit (None)."""
        return call_pool.shared(DIRECT_CALLS).free_calls() if self._is_direct() else None

    def _deliver(self, batch: Release) -> None:
        """Claim and send a batch as a worker does. A batch that exceeds the free calls becomes pending again."""
        calls = call_pool.shared(DIRECT_CALLS)
        if len(batch.message_ids) > calls.free_calls():
            undo_release(batch)
            return
        for claimed in with_contexts(claim([batch])):
            calls.send(claimed)

    def _inbound_rate(self, number_id: int) -> float:
        if time.monotonic() >= self._next_inbound:
            self._next_inbound = time.monotonic() + INBOUND_EVERY_S
            self._inbound = inbound_rates()
        return self._inbound.get(number_id, 0.0)

    def _sweep(self) -> None:
        """Run the sweeps that are due. A failed one stops neither the others nor the release."""
        now = time.monotonic()
        for every, sweep in SWEEPS:
            if now < self._next_sweep[sweep]:
                continue
            self._next_sweep[sweep] = now + every
            with _apart_from_others(f"sweep {sweep.__name__}"):
                sweep()


@contextmanager
def _apart_from_others(work: str) -> Iterator[None]:
    """What fails does not keep other numbers and sweeps from their work, unless the database is unavailable to all."""
    try:
        yield
    except SqsUnavailable:
        logger.info("%s waits for SQS", work)
    except (OperationalError, InterfaceError) as error:
        if is_database_unavailable(error):
            raise
        # Such as a statement timeout or a deadlock.
        logger.error("%s failed: %s", work, type(error.__cause__ or error).__name__)
    except Exception:
        logger.exception("%s failed", work)
