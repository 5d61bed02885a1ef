"""Runs of deliveries, posted by one thread to a real endpoint."""

from collections.abc import Iterator

import pytest

from messaging import deliver
from messaging.subscriptions.deliveries import claim_runs
from tests.messaging.subscriptions.factories import subscription, waiting
from tests.messaging.subscriptions.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def posted(receiver: Receiver) -> list[int | None]:
    """The statuses of a run of four deliveries of one lane, as far as they were posted."""
    waiting(subscription(receiver.url), 4, lane=0)
    (run,) = claim_runs(50)
    return [tried.answer.status for tried in deliver.post(run).attempts]


def test_a_run_posts_all_its_deliveries(receiver: Receiver) -> None:
    assert posted(receiver) == [204, 204, 204, 204]


def test_a_run_ends_with_its_first_failure(receiver: Receiver) -> None:
    receiver.answer = lambda _: 500 if len(receiver.received) == 2 else 204
    assert (posted(receiver), len(receiver.received)) == ([204, 500], 2)


def test_a_run_starts_no_request_after_its_time_limit(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "RUN_S", 0.0)
    assert posted(receiver) == [204]
