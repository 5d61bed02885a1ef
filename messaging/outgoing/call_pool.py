"""The call pool of a worker process: parallel calls to the Cloud API, outcomes recorded in bulk.

A claimed row is safe in the database, so its task need not wait for it: the task hands the rows over here and is
done. HTTP threads never touch the database, and while they wait for Meta no transaction is open.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from messaging.outgoing.claim_and_record import Claimed, Outcome, record
from messaging.whatsapp import outbound
from messaging.whatsapp.client import Accepted, CloudApi
from messaging.whatsapp.errors import OutcomeUnknown, Rejected, WhatsAppError
from waproject import tracing
from waproject.metrics import counters

logger = logging.getLogger(__name__)

CALLS_AT_ONCE = 200
# One call's whole budget (connect 3 s, read 10 s, 20 s in all) and a little to write its outcome down.
CALL_S = 22
# Outcomes that come within this time share a statement. Statuses do not wait for it: they match by our own id.
GATHER_S = 0.1
RECORD_AT_MOST = 200
# An outcome in hand outlives its row's lease: that Meta took a message is true however late it is written down.
KEPT_FOR = timedelta(minutes=10)


class Sender:
    """Sends claimed rows; made once per process, on first use."""

    def __init__(self, api: CloudApi, calls_at_once: int = CALLS_AT_ONCE) -> None:
        self._api = api
        self._calls_at_once = calls_at_once
        self._calls = ThreadPoolExecutor(calls_at_once, thread_name_prefix="cloud-api")
        self._free = threading.Semaphore(calls_at_once)
        self._outcomes: queue.Queue[Outcome | None] = queue.Queue()
        self._open = 0
        self._changed = threading.Condition()
        self._recorder = threading.Thread(target=self._record_until_closed, name="outcomes", daemon=True)
        self._recorder.start()

    def send(self, claimed: Claimed) -> None:
        """Start the call for one row; blocks while all calls are busy, which holds back the queue behind us."""
        self._free.acquire()
        with self._changed:
            self._open += 1
        self._calls.submit(self._call, claimed)

    def free(self) -> int:
        """How many calls could start now without waiting."""
        with self._changed:
            return max(0, self._calls_at_once - self._open)

    def drain(self, timeout: float) -> bool:
        """Wait until every call is over and recorded; False when `timeout` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def close(self, timeout: float) -> bool:
        """Drain, then let go of the threads and of the database connection; False as for `drain`."""
        drained = self.drain(timeout)
        self._outcomes.put(None)
        self._calls.shutdown(wait=False)
        if drained:
            self._recorder.join(timeout)
        return drained

    def _call(self, claimed: Claimed) -> None:
        began = time.perf_counter()
        try:
            with tracing.span("call the Cloud API", [claimed.traceparent]):
                result = self._result(claimed)
        finally:
            self._free.release()
        if result is not None:
            counters.CLOUD_API_SECONDS.observe(time.perf_counter() - began, type(result).__name__)
        self._outcomes.put(Outcome(claimed, result, timezone.now()))

    def _result(self, claimed: Claimed) -> Accepted | WhatsAppError | None:
        if (claimed.lease_until - timezone.now()).total_seconds() < CALL_S:
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
            return self._api.send(claimed.phone_number_id, body)
        except WhatsAppError as error:
            return error
        except Exception as error:  # each row has its own guard: one that breaks us must not take others along
            logger.exception("the call failed in our own code", extra={"message_id": str(claimed.message_id)})
            return OutcomeUnknown(title=f"internal error: {type(error).__name__}")

    def _record_until_closed(self) -> None:
        while (first := self._outcomes.get()) is not None:
            time.sleep(GATHER_S)
            outcomes = [first, *self._waiting()]
            self._record(outcomes)
            with self._changed:
                self._open -= len(outcomes)
                self._changed.notify_all()

        connection.close()

    def _waiting(self) -> Iterator[Outcome]:
        """The outcomes that are there now."""
        for _ in range(RECORD_AT_MOST - 1):
            try:
                outcome = self._outcomes.get_nowait()
            except queue.Empty:
                return
            if outcome is None:
                self._outcomes.put(None)
                return
            yield outcome

    def _record(self, outcomes: list[Outcome]) -> None:
        """An outcome in hand is worth keeping: try as long as it may be of use."""
        give_up_at = max(outcome.at for outcome in outcomes) + KEPT_FOR
        while True:
            try:
                record(outcomes)
            except (OperationalError, InterfaceError) as error:
                connection.close()
                if timezone.now() >= give_up_at:
                    logger.error("%d outcomes were lost: %s", len(outcomes), type(error).__name__)
                    return
                time.sleep(0.5)
            except Exception:
                if len(outcomes) == 1:
                    logger.exception(
                        "the outcome cannot be recorded", extra={"message_id": str(outcomes[0].claimed.message_id)}
                    )
                    return
                for outcome in outcomes:  # one bad outcome must not cost the others theirs
                    self._record([outcome])
                return
            else:
                return


_sender: Sender | None = None
_lock = threading.Lock()


def sender(calls_at_once: int = CALLS_AT_ONCE) -> Sender:
    """This process's sender, made with so many calls at once on first use."""
    global _sender  # noqa: PLW0603 - one per process, and only after the fork
    with _lock:
        if _sender is None:
            api = CloudApi(
                settings.WA_GRAPH_URL, settings.WA_GRAPH_VERSION, settings.WA_ACCESS_TOKEN, pool_size=calls_at_once
            )
            _sender = Sender(api, calls_at_once)
        return _sender


def close(timeout: float) -> bool:
    """Wait for this process's open calls, where it has made any, and end its threads."""
    return _sender.close(timeout) if _sender else True
