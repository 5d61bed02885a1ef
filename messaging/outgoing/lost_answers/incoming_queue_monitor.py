"""Incoming-queue monitor: the last moment at which the incoming queues were seen empty.

What arrived before the queue was empty is stored, so one empty moment says all. On a busy lane such moments are short:
they are looked for often, by a thread of its own, since an SQS that hangs must not hold up the lane.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils import timezone

from messaging.outgoing.lost_answers import incoming_evidence
from messaging.outgoing.lost_answers.incoming_evidence import IncomingEvidence
from waproject.queues import LANES
from waproject.sqs import control

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
# Nobody has asked for so long: no answer is lost any more, and looks cost requests.
WANTED_S = 10.0
# What was seen longer ago than this says nothing of now: SQS does not answer.
FRESH_S = 10.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """`at` is monotonic; `empty_at` the last time that the queue was empty."""

    at: float
    empty_at: datetime | None
    dead_letters: int


class IncomingWatch:
    """Looks while somebody asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted_until = 0.0
        self._seen: _Seen | None = None

    def evidence(self) -> IncomingEvidence | None:
        """What is known now; None where SQS does not answer (or was not asked yet), and nobody can tell.

        Raises django.db errors.
        """
        with self._lock:
            self._wanted_until = time.monotonic() + WANTED_S
            if self._thread is None:
                self._thread = threading.Thread(target=self._look_on, name="incoming-watch", daemon=True)
                self._thread.start()
            seen = self._seen
        if seen is None or time.monotonic() - seen.at > FRESH_S:
            return None
        return incoming_evidence.evidence(seen.empty_at, seen.dead_letters)

    def _look_on(self) -> None:
        while self._is_wanted():
            try:
                self._seen = self._look()
            except (BotoCoreError, ClientError) as error:
                logger.debug("SQS does not say what the incoming lane holds: %s", type(error).__name__)
            except Exception:  # the thread's edge: without it every lost answer would wait for a person
                logger.exception("a look at the incoming lane failed")
            time.sleep(LOOK_EVERY_S)

    def _is_wanted(self) -> bool:
        with self._lock:
            if time.monotonic() < self._wanted_until:
                return True
            self._thread = None
            return False

    def _look(self) -> _Seen:
        lane, sqs = LANES["incoming"], control.client(settings.AWS_REGION)
        # The moment before the look: what arrives while SQS counts is not vouched for.
        at = timezone.now()
        empty = control.depth(sqs, lane.url).total == 0
        before = self._seen.empty_at if self._seen else None
        return _Seen(time.monotonic(), at if empty else before, control.depth(sqs, lane.dlq_url).total)
