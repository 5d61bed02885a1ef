"""The call pool of a worker process: parallel calls to the Cloud API, outcomes recorded in bulk.

A claimed row has a lease in the database, so its task need not wait for the call: it submits the rows and ends. One
thread starts each call at its time (`rate_limits.Schedule`), and spaces late calls too (`call_spacing`), since Meta
would refuse a burst.
HTTP threads never touch the database, and no transaction is open while they wait for Meta.
"""

import heapq
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from messaging.accounts import MissingToken, access_token, missing_token
from messaging.models import DEFAULT_TOKEN_NAME
from messaging.outgoing.call_spacing import CallSlot, CallSpacing
from messaging.outgoing.claims import Claimed
from messaging.outgoing.marketing_api import MarketingApi
from messaging.outgoing.outcomes import Outcome, record
from messaging.whatsapp import outbound
from messaging.whatsapp.client import Accepted, CloudApi
from messaging.whatsapp.errors import OutcomeUnknown, Rejected, WhatsAppError
from waproject import tracing
from waproject.metrics import counters
from waproject.worker.database_gate import is_database_unavailable
from waproject.worker.thread_pool import ThreadPool

logger = logging.getLogger(__name__)

MAX_CALLS = 200
# The deadline of a call (connect 3 s, read 10 s, 20 s in all) and the time to record its outcome.
CALL_S = 22
# Calls that have not started this long before the end of a shutdown never do: the time to record that.
RETURN_S = 3
# A process that ends waits this long for its calls and for the recording of their outcomes.
DRAIN_S = CALL_S + RETURN_S
# Outcomes within this time share a statement. Statuses do not wait for it: they match by our own id.
BATCH_WAIT_S = 0.1
MAX_BATCH = 200
# How long a failing write of outcomes is retried. That is longer than a lease: an acceptance stays true however late
# it is recorded.
RECORD_RETRY = timedelta(minutes=10)
# How long an outcome waits for a row that another transaction has locked, after one has waited in vain; and the time
# until the next try.
LOCKED_MS = 250
LOCKED_RETRY_S = 5.0


class CallPool:
    """Sends claimed rows; one per process, made on first use."""

    def __init__(self, api_of: Callable[[str], CloudApi], max_calls: int = MAX_CALLS) -> None:
        """`api_of`: the client by the name of its token's variable; may raise MissingToken."""
        self._api_of = api_of
        self._max_calls = max_calls
        self._calls = ThreadPool(max_calls, "cloud-api")
        self._free = threading.Semaphore(max_calls)
        self._accepts = threading.Semaphore(max_calls)
        # Calls by the time of their start, and the calls of each number that have left.
        self._scheduled: list[tuple[float, int, int, Claimed]] = []
        self._order = itertools.count()
        self._spacing: dict[int, CallSpacing] = {}
        self._closing = False
        self._schedule_changed = threading.Condition()
        self._outcomes: queue.Queue[Outcome | None] = queue.Queue()
        # Outcomes whose rows other transactions have locked, and the time of their next try.
        self._locked: list[Outcome] = []
        self._locked_at = 0.0
        self._marketing = MarketingApi()
        self._open = 0
        self._changed = threading.Condition()
        self._starter = threading.Thread(target=self._start_until_closed, name="call-starts", daemon=True)
        self._starter.start()
        self._recorder = threading.Thread(target=self._record_until_closed, name="outcomes", daemon=True)
        self._recorder.start()

    def send(self, claimed: Claimed) -> None:
        """Start the call of one row at its time.

        Blocks while as many wait as calls may run, so that the worker receives no more tasks.
        """
        self._accepts.acquire()
        with self._changed:
            self._open += 1
        with self._schedule_changed:
            if not self._closing:
                heapq.heappush(self._scheduled, (claimed.call_at, claimed.priority, next(self._order), claimed))
                self._schedule_changed.notify()
                return
        self._return(claimed)

    def free_calls(self) -> int:
        """The number of calls that can start without waiting."""
        with self._changed:
            return max(0, self._max_calls - self._open)

    def drain(self, timeout: float) -> bool:
        """Wait until every call is finished and recorded; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def close(self, timeout: float) -> bool:
        """Drain, then end the threads and the database connection; False as for `drain`.

        RETURN_S before the end, messages whose calls still wait for their start become pending again.
        """
        self.drain(timeout - RETURN_S)
        self._return_unstarted()
        drained = self.drain(min(RETURN_S, timeout))
        self._calls.shutdown()
        # Otherwise outcomes are recorded until the process ends.
        if drained:
            self._outcomes.put(None)
            self._starter.join(timeout)
            self._recorder.join(timeout)
        return drained

    def _return_unstarted(self) -> None:
        """Start no more calls. What is known not to have left must not become an unknown outcome."""
        with self._schedule_changed:
            self._closing = True
            unstarted = [claimed for *_, claimed in self._scheduled]
            self._scheduled.clear()
            self._schedule_changed.notify()
        for claimed in unstarted:
            self._accepts.release()
            self._return(claimed)

    def _return(self, claimed: Claimed) -> None:
        self._outcomes.put(Outcome(claimed, None, timezone.now()))

    def _start_until_closed(self) -> None:
        while True:
            self._free.acquire()
            if (due := self._next_due()) is None:
                return
            self._accepts.release()
            self._calls.submit(self._call, *due)

    def _next_due(self) -> tuple[Claimed, CallSlot] | None:
        """Wait for the next call that may start; None once the pool closes."""
        with self._schedule_changed:
            while not self._closing:
                now = time.monotonic()
                at = self._scheduled[0][0] if self._scheduled else None
                if at is None or at > now:
                    self._schedule_changed.wait(None if at is None else at - now)
                    continue
                _, priority, order, claimed = heapq.heappop(self._scheduled)
                spacing = self._spacing_of(claimed)
                if (earliest := spacing.earliest()) > now:
                    # All late calls of the number meet at this time, and start in the order of their priorities.
                    heapq.heappush(self._scheduled, (earliest, priority, order, claimed))
                    continue
                return claimed, spacing.start(now)
        return None

    def _spacing_of(self, claimed: Claimed) -> CallSpacing:
        # A number whose rate was set to 0 after the release: an exception here would end the thread that starts calls.
        rate = max(1, claimed.rate)
        spacing = self._spacing.get(claimed.number_id)
        if spacing is None or spacing.rate != rate:
            spacing = self._spacing[claimed.number_id] = CallSpacing(rate)
        return spacing

    def _call(self, claimed: Claimed, slot: CallSlot) -> None:
        slot.at = time.monotonic()
        began = time.perf_counter()
        try:
            with tracing.span("call the Cloud API", [claimed.traceparent]):
                result = self._result(claimed)
                # Before all that may fail: an outcome that is lost here would be unknown.
                self._outcomes.put(Outcome(claimed, result, timezone.now()))
        finally:
            self._free.release()
        if result is not None:
            counters.CLOUD_API_SECONDS.observe(time.perf_counter() - began, type(result).__name__)

    def _result(self, claimed: Claimed) -> Accepted | WhatsAppError | None:
        if not _may_call(claimed):
            return None
        try:
            body = outbound.build(
                claimed.type,
                claimed.content,
                to=claimed.to,
                callback_data=str(claimed.message_id),
                context_wamid=claimed.context_wamid,
            )
        except outbound.InvalidContent as error:
            return Rejected(title=f"invalid content: {error}")
        try:
            return self._send(claimed, body)
        except MissingToken as error:
            return missing_token(error)
        except WhatsAppError as error:
            return error
        except Exception as error:  # one row that causes a bug must not affect the others
            logger.exception("call failed in our own code", extra={"message_id": str(claimed.message_id)})
            return OutcomeUnknown(title=f"internal error: {type(error).__name__}")

    def _send(self, claimed: Claimed, body: Mapping[str, object]) -> Accepted | None:
        """One call, or two where the first one was to the wrong API. None if the second may not begin any more."""
        api = self._api_of(claimed.token_name)
        if self._marketing.takes(claimed):
            accepted = self._marketing.send(api, claimed, body)
            if accepted is not None or not _may_call(claimed):
                return accepted
        return api.send(claimed.phone_number_id, body)

    def _record_until_closed(self) -> None:
        while True:
            try:
                first = self._outcomes.get(timeout=LOCKED_RETRY_S if self._locked else None)
            except queue.Empty:
                pass
            else:
                if first is None:
                    break
                time.sleep(BATCH_WAIT_S)
                self._record([first, *self._pending_outcomes()])
            if self._locked and time.monotonic() >= self._locked_at:
                locked, self._locked = self._locked, []
                self._record_each(locked)

        connection.close()

    def _close_calls(self, count: int) -> None:
        with self._changed:
            self._open -= count
            self._changed.notify_all()

    def _pending_outcomes(self) -> Iterator[Outcome]:
        """Outcomes that are in the queue already."""
        for _ in range(MAX_BATCH - 1):
            try:
                outcome = self._outcomes.get_nowait()
            except queue.Empty:
                return
            if outcome is None:
                self._outcomes.put(None)
                return
            yield outcome

    def _record(self, outcomes: list[Outcome]) -> None:
        """Record outcomes, retrying while the database is unavailable."""
        give_up_at = max(outcome.at for outcome in outcomes) + RECORD_RETRY
        while True:
            try:
                record(outcomes)
            except (OperationalError, InterfaceError) as error:
                if not is_database_unavailable(error):
                    # Such as a statement timeout, for a row that another transaction has locked.
                    self._record_each(outcomes)
                    return
                connection.close()
                if timezone.now() >= give_up_at:
                    logger.error("%d outcomes were not recorded: %s", len(outcomes), type(error).__name__)
                    break
                time.sleep(0.5)
            except Exception:
                if len(outcomes) == 1:
                    logger.exception(
                        "outcome cannot be recorded", extra={"message_id": str(outcomes[0].claimed.message_id)}
                    )
                    break
                for outcome in outcomes:  # one outcome that cannot be recorded must not affect the others
                    self._record([outcome])
                return
            else:
                break
        self._close_calls(len(outcomes))

    def _record_each(self, outcomes: list[Outcome]) -> None:
        """Record each outcome that need not wait for another transaction, and the others later."""
        for done, outcome in enumerate(outcomes):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCKED_MS)])
                    record([outcome])
            except (OperationalError, InterfaceError) as error:
                if is_database_unavailable(error):
                    connection.close()
                    self._locked += outcomes[done:]
                    break
                if timezone.now() < outcome.at + RECORD_RETRY:
                    self._locked.append(outcome)
                    continue
                logger.error("an outcome was not recorded: %s", type(error.__cause__ or error).__name__)
            except Exception:
                self._record([outcome])
                continue
            self._close_calls(1)
        self._locked_at = time.monotonic() + LOCKED_RETRY_S


def _may_call(claimed: Claimed) -> bool:
    """Whether the lease is long enough for a call, and the message has not expired since its claim."""
    now = timezone.now()
    has_expired = claimed.expires_at is not None and claimed.expires_at <= now
    return not has_expired and (claimed.lease_until - now).total_seconds() >= CALL_S


_pool: CallPool | None = None
_lock = threading.Lock()


def shared(max_calls: int = MAX_CALLS) -> CallPool:
    """This process's pool; the first call makes it, with `max_calls` parallel calls."""
    global _pool  # noqa: PLW0603 - one per process, and only after the fork
    with _lock:
        if _pool is None:
            _pool = CallPool(_clients(max_calls), max_calls)
        return _pool


def _clients(max_calls: int) -> Callable[[str], CloudApi]:
    """The clients of this process by the names of their tokens' variables, each made on first use."""
    made: dict[str, CloudApi] = {}
    lock = threading.Lock()

    def api_of(token_name: str) -> CloudApi:
        api = made.get(token_name)
        if api is None:
            with lock:
                api = made.get(token_name) or CloudApi(
                    settings.WA_GRAPH_URL,
                    settings.WA_GRAPH_VERSION,
                    access_token(token_name),
                    pool_size=max_calls,
                )
                made[token_name] = api
        return api

    # An unusable Graph URL or default token must end the process, not its calls.
    api_of(DEFAULT_TOKEN_NAME)
    return api_of


def close(timeout: float = DRAIN_S) -> bool:
    """Close this process's pool, if there is one; False as for `drain`."""
    return _pool.close(timeout) if _pool else True
