"""Meta's limits as the sandbox reads them: messages of a number in any second, and messages to one user."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from messaging.models import Message, PairPace
from messaging.outgoing.call_pool import CallPool
from messaging.outgoing.claims import claim
from messaging.outgoing.release import release
from messaging.sandbox.graph_errors import GraphError
from messaging.sandbox.outcomes.limits import Limits
from messaging.sandbox.settings import Behaviour
from messaging.sandbox.users.user import user_with_phone
from messaging.whatsapp.client import Accepted
from tests.messaging.factories import number, pending, release_due

ANN = "15550000001"
TICK_S = 0.05


class Meta:
    """A fake Cloud API that counts the calls over the sandbox's limits."""

    def __init__(self) -> None:
        self.refused = 0
        self._limits, self._lock = Limits(), threading.Lock()

    def take(self, phone_number_id: str, to: str, now: float) -> None:
        """Count a call at this time, in seconds."""
        with self._lock:
            try:
                self._limits.take(phone_number_id, user_with_phone(to), Behaviour(), now)
            except GraphError:
                self.refused += 1

    def send(self, phone_number_id: str, body: Any) -> Accepted:
        """One call, now."""
        self.take(phone_number_id, body["to"], time.monotonic())
        return Accepted(f"wamid.{body['to']}", None, None, None)


@pytest.mark.django_db(transaction=True)
def test_a_bulk_from_idle_stays_within_metas_limit_in_any_second() -> None:
    pending(200)
    meta, pk = Meta(), number(rate=80).pk
    pool = CallPool(lambda _: meta, max_calls=20)  # type: ignore[arg-type,return-value]
    while Message.objects.filter(released_at=None).exists():
        for batch in release(pk):
            for row in claim([batch]):
                pool.send(row)
        time.sleep(TICK_S)
    assert pool.close(10)
    assert (meta.refused, Message.objects.filter(status="accepted").count()) == (0, 200)


def pass_time(seconds: float) -> None:
    """Move the pair pace into the past."""
    ago = timedelta(seconds=seconds)
    PairPace.objects.update(
        tat=F("tat") - ago, wake_at=F("wake_at") - ago, not_before=F("not_before") - ago, burst_at=F("burst_at") - ago
    )


def until_the_next_may_go() -> float:
    """Seconds from now, by the database's clock, until the pair's next message may be released."""
    waits = PairPace.objects.exclude(wake_at=None).annotate(wait=F("wake_at") - Now())
    return max((row.wait.total_seconds() for row in waits), default=0.0)


# A message of a pair ends before its next is released, so time passes in steps: an answer's, or until the next may go.
@pytest.mark.slow("releases sixty messages one by one")
@pytest.mark.django_db
@pytest.mark.parametrize("answer_s", [0.05, 0.5, 3.0])
def test_messages_to_one_user_stay_within_metas_pair_limit(answer_s: float) -> None:
    for _ in range(60):
        pending(peer=ANN)
    meta, passed, sent = Meta(), 0.0, 0
    while sent < 60:
        for released in Message.objects.filter(pk__in=release_due()):
            sent += 1
            # By the database's clock, which runs while a busy machine does not. The first call may be late, the
            # others early.
            assert released.released_at
            at = released.released_at.timestamp() + passed
            meta.take("1", ANN, at + (0.4 if sent == 1 else 0.05))
            Message.objects.exclude(released_at=None).update(outcome_at=Now())
        step = max(answer_s, until_the_next_may_go())
        passed += step
        pass_time(step)
    assert meta.refused == 0
