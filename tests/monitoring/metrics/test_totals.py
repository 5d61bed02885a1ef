"""Counters in memory, and their totals in the database."""

import os
import sys
import threading
from typing import Any

import pytest

from monitoring.metrics import totals as counts
from monitoring.models import Count
from testkit.no_new_threads import no_new_threads
from tests import warm_python
from tests.waiting import PATIENCE_S, eventually
from waproject.metrics import counters
from waproject.metrics.counters import SQS_REQUESTS, TASK_SECONDS, WEBHOOKS

COUNTING_PROCESS = """
import os, django
django.setup()
from waproject.metrics.flushing import start_flushing
from waproject.metrics.counters import TASK_SECONDS, WEBHOOKS
start_flushing(every=0.05)
for _ in range(100):
    WEBHOOKS.inc("taken")
    TASK_SECONDS.observe(0.02, "messaging.send", "ok")
"""


def test_a_counter_adds_up_by_its_labels() -> None:
    WEBHOOKS.inc("taken")
    WEBHOOKS.inc("taken", by=2)
    WEBHOOKS.inc("unsigned")
    taken = counters.drain()
    assert taken == {(WEBHOOKS.name, "taken"): 3, (WEBHOOKS.name, "unsigned"): 1}


def test_an_observation_falls_into_its_bucket_and_adds_to_the_sum() -> None:
    TASK_SECONDS.observe(0.02, "t", "ok")
    TASK_SECONDS.observe(999, "t", "ok")
    name = TASK_SECONDS.name
    assert counters.drain() == {
        (name, "t", "ok", "0.025"): 1,
        (name, "t", "ok", "+Inf"): 1,
        (name, "t", "ok", "sum"): 999.02,
    }


def test_no_addition_of_many_threads_is_lost() -> None:
    def count() -> None:
        for _ in range(2000):
            WEBHOOKS.inc("taken")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.drain()[WEBHOOKS.name, "taken"] == 16_000


def test_a_forked_child_counts_from_nothing() -> None:
    WEBHOOKS.inc("taken")
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, str(len(counters.drain())).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"0"


@pytest.fixture
def empty_totals(db: None) -> None:
    """Delete the totals that workers of other tests left in the database."""
    Count.objects.all().delete()


@pytest.mark.usefixtures("empty_totals")
def test_totals_add_up_over_flushes() -> None:
    counts.add({("a", "x"): 2, ("b",): 1})
    counts.add({("a", "x"): 3})
    assert counts.totals() == {("a", "x"): 5, ("b",): 1}


@pytest.mark.usefixtures("empty_totals")
def test_a_series_that_is_longer_than_its_column_keeps_no_other_from_being_stored() -> None:
    counts.add({("a" * 100, "b" * 99): 1, ("a" * 100, "b" * 100): 2})
    counts.add({("a" * 201,): 3})
    assert counts.totals() == {("a" * 100, "b" * 99): 1}


@pytest.mark.usefixtures("empty_totals")
def test_counts_that_the_store_refuses_are_flushed_later() -> None:
    def refuse(_: object) -> None:
        raise OSError

    gathered = counters._Buffer()
    gathered.start_flushing(refuse, every=3600)
    gathered.add(((("a",), 1.0),))
    gathered.flush()
    gathered.start_flushing(counts.add, every=3600)
    gathered.flush()
    assert counts.totals() == {("a",): 1}


def test_counting_goes_on_while_the_system_gives_no_thread_and_is_flushed_once_it_does() -> None:
    stored: list[dict[Any, float]] = []
    gathered = counters._Buffer()
    gathered.start_flushing(lambda sums: stored.append(dict(sums)), every=0.01)
    with no_new_threads():
        gathered.add(((("a",), 1.0),))
    gathered.add(((("a",), 1.0),))
    assert eventually(lambda: stored == [{("a",): 2.0}])
    gathered.start_flushing(counts.add, every=3600)  # its thread outlives the test


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.django_db(transaction=True)
def test_the_totals_are_those_of_all_processes(settings: Any) -> None:
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@127.0.0.1:{database['PORT']}/{database['NAME']}"
    processes = [
        warm_python.Popen([sys.executable, "-c", COUNTING_PROCESS], env={**os.environ, "DATABASE_URL": url})
        for _ in range(3)
    ]
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0, 0]
    totals = counts.totals()
    assert totals[WEBHOOKS.name, "taken"] == 300
    assert totals[TASK_SECONDS.name, "messaging.send", "ok", "0.025"] == 300


def test_requests_to_sqs_are_counted_by_queue(sqs: Any) -> None:
    from django.conf import settings

    from messaging.incoming.tasks import receive
    from messaging.task_publisher import publish_many

    publish_many(receive, [({},), ({},)])
    counted = counters.drain()
    queue = settings.SQS_QUEUES["incoming"]["url"].rsplit("/", 1)[-1]
    assert counted[SQS_REQUESTS.name, queue, "SendMessageBatch", "ok"] == 1
    assert counted[counters.SQS_MESSAGES.name, queue, "SendMessage"] == 2
