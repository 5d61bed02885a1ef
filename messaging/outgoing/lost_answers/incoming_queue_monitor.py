"""Incoming-queue monitor: the last time at which the incoming queue was empty.

Whatever arrived before the queue was empty is stored, so one empty moment suffices. On a busy lane such moments are
short, so a thread polls often; it is a thread of its own because an SQS that hangs must not stall the dispatcher.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils import timezone

from messaging.outgoing.lost_answers import incoming_evidence
from messaging.outgoing.lost_answers.incoming_evidence import IncomingEvidence
from waproject.cached_check import CachedCheck
from waproject.queues import LANES
from waproject.sqs import control

logger = logging.getLogger(__name__)

POLL_EVERY_S = 0.2
# Without a call of `evidence` for this long the thread ends: no outcome is unknown, and polls cost requests.
IDLE_AFTER_S = 10.0
# An older observation says nothing about now: SQS does not answer.
STALE_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class _Observation:
    """`at` is monotonic; `empty_at` the last time at which the queue was empty."""

    at: float
    empty_at: datetime | None
    dead_letters: int


class IncomingQueueMonitor:
    """Polls the incoming queues in a thread while `evidence` is called."""

    def __init__(self) -> None:
        self._latest: _Observation | None = None
        self._polls = CachedCheck(
            "incoming-queue", self._observe, every=POLL_EVERY_S, deadline=STALE_AFTER_S, idle_after=IDLE_AFTER_S
        )

    def evidence(self) -> IncomingEvidence | None:
        """The evidence now; None before the first observation and while SQS does not answer.

        Raises django.db errors.
        """
        self._polls.start()
        latest = self._latest
        if latest is None or time.monotonic() - latest.at > STALE_AFTER_S:
            return None
        return incoming_evidence.evidence(latest.empty_at, latest.dead_letters)

    def stop(self, timeout: float | None = None) -> None:
        """End the thread, waiting at most `timeout` seconds for a running poll. The next `evidence` starts another."""
        self._polls.stop(timeout)

    def _observe(self) -> None:
        try:
            self._latest = self._poll()
        except (BotoCoreError, ClientError) as error:
            logger.debug("SQS does not report the depth of the incoming queues: %s", type(error).__name__)
        except Exception:  # the thread's edge: without it every unknown outcome would wait for a person
            logger.exception("polling the incoming queues failed")

    def _poll(self) -> _Observation:
        lane, sqs = LANES["incoming"], control.client(settings.AWS_REGION)
        # Taken before the request: a message that arrives while SQS counts may not be in the count.
        at = timezone.now()
        empty = control.depth(sqs, lane.url).total == 0
        before = self._latest.empty_at if self._latest else None
        return _Observation(time.monotonic(), at if empty else before, control.depth(sqs, lane.dlq_url).total)
