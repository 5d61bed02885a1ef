"""A messaging limit that falls by Meta's webhook while dispatchers release."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.dispatch import Dispatcher
from messaging.incoming.store import receive
from messaging.models import BusinessNumber, Message, OpenedRecipient, Portfolio
from messaging.portfolios import assign_portfolio
from tests.messaging.factories import number
from tests.messaging.portfolios.limited_portfolio import holds, limited
from tests.messaging.portfolios.test_number_portfolios import event
from tests.messaging.sandbox.graph_api.calls import WABA
from tests.waiting import eventually

MESSAGES = 400
RATE = 60
# Of 250; a tenth is left for high priority.
NORMAL_SHARE = 225


class Dispatching:
    """Two dispatchers at work, and Meta, which accepts what they release: a thread each."""

    def __init__(self) -> None:
        self._over = threading.Event()
        works = (Dispatcher().tick, Dispatcher().tick, _accept)
        self._threads = [threading.Thread(target=self._repeat, args=[work]) for work in works]
        self.failures: list[BaseException] = []

    def __enter__(self) -> "Dispatching":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], object]) -> None:
        try:
            while not self._over.wait(0.01):
                work()
        except BaseException as error:
            self.failures.append(error)
        finally:
            connections.close_all()


def _accept() -> None:
    answered = Message.objects.filter(released_at__isnull=False, outcome_at=None)
    answered.update(status="accepted", outcome_at=timezone.now())


def opened() -> int:
    return Portfolio.objects.get().opened


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_send_no_more_than_a_limit_that_has_fallen_meanwhile(sqs: Any) -> None:
    limited(10_000, waba_id=WABA)
    other = BusinessNumber.objects.create(phone_number_id="77", waba_id=WABA)
    assign_portfolio(other.pk)
    BusinessNumber.objects.update(rate=RATE)
    senders = (number(rate=RATE), other)
    for n in range(MESSAGES):
        accept([NewMessage(f"1555{n:07}", "text", {"content": "hi"}, senders[n % 2])])
    with Dispatching() as at_work:
        assert eventually(lambda: opened() > 20, 0.02)
        receive(event("business_capability_update", max_daily_conversations_per_business="TIER_250"))
        when_it_fell = opened()
        assert eventually(lambda: not Message.objects.filter(status="pending", hold=None).exists())
    assert at_work.failures == []
    expected = max(NORMAL_SHARE, when_it_fell)
    sent = Message.objects.exclude(released_at=None)
    assert (opened(), sent.count(), OpenedRecipient.objects.count()) == (expected, expected, expected)
    assert (holds(), Message.objects.exclude(hold=None).count()) == ({"limit"}, MESSAGES - expected)
    # Both numbers sent, and the limit fell before it was used up.
    assert {*sent.values_list("number", flat=True)} == {sender.pk for sender in senders}
    assert when_it_fell < NORMAL_SHARE
