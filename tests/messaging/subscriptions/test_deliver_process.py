"""`manage.py deliver` as a process of its own, and a real endpoint."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook

from messaging.incoming.store import receive
from messaging.models import Delivery
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.subscriptions.factories import subscription, waiting
from tests.messaging.subscriptions.receiver import Received, Receiver
from tests.processes import Process
from tests.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.slow("starts processes of the pipeline"), pytest.mark.django_db(transaction=True)]


# It waits for answers longer than a test takes.
PATIENT = """
from django.core.management import execute_from_command_line
from messaging.subscriber_http.post import SubscriberClient
SubscriberClient.__init__.__defaults__ = (8, 600.0)
execute_from_command_line(["manage.py", "deliver"])
"""


class Deliver(Process):
    """The process, on the tests' database."""

    def __init__(self, log: Path, *command: str, **environment: str) -> None:
        name = connection.settings_dict["NAME"]
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        super().__init__(command or ["manage.py", "deliver"], "deliver is ready", log, DATABASE_URL=url, **environment)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def deliver(tmp_path: Path) -> Iterator[Deliver]:
    process = Deliver(tmp_path / "deliver.log").wait_ready()
    yield process
    process.stop()


def finished() -> int:
    return Delivery.objects.filter(state="delivered").count()


def test_a_signed_message_reaches_the_endpoint_and_no_log_has_its_text(receiver: Receiver, deliver: Deliver) -> None:
    one = subscription(receiver.url)
    receive(webhook(inbound_text(text="a secret word, Grüße")))
    assert eventually(lambda: finished() == 1), deliver.log
    (got,) = receiver.received
    event = Webhook(one.secret).verify(got.body, got.headers)
    assert (event["type"], event["data"]["text"]) == ("message.received", "a secret word, Grüße")
    assert got.headers["webhook-id"] == str(Delivery.objects.get().pk)
    assert "secret word" not in deliver.log and "15551230001" not in deliver.log


def test_slow_endpoints_do_not_delay_others(receiver: Receiver, tmp_path: Path) -> None:
    def answer(got: Received) -> int:
        if got.path == "/slow":
            receiver.sleep(2 * PATIENCE_S)
        return 204

    receiver.answer = answer
    deliver = Deliver(tmp_path / "deliver.log", "-c", PATIENT).wait_ready()
    for _ in range(15):
        waiting(subscription(f"{receiver.url}/slow"), 20)
    assert eventually(lambda: len(receiver.of("/slow")) >= 15)
    waiting(subscription(f"{receiver.url}/quick"), 50)
    assert eventually(lambda: len(receiver.of("/quick")) == 50), deliver.log
    receiver.over.set()
    deliver.stop()


def test_a_kill_during_deliveries_loses_nothing(receiver: Receiver, tmp_path: Path) -> None:
    def answer(_: Received) -> int:
        receiver.sleep(0.02)
        return 204

    receiver.answer = answer
    rows = waiting(subscription(receiver.url), 400)
    first = Deliver(tmp_path / "first.log").wait_ready()
    assert eventually(lambda: len(receiver.received) >= 50), first.log
    first.kill()
    assert Delivery.objects.filter(finished_at=None).exists()
    Delivery.objects.filter(finished_at=None, lease_until__gt=timezone.now()).update(lease_until=timezone.now())
    second = Deliver(tmp_path / "second.log").wait_ready()
    assert eventually(lambda: finished() == 400), second.log
    second.stop()
    times = Counter(receiver.ids("/"))
    assert set(times) == {str(row.pk) for row in rows}
    # What was in the threads' hands came twice, under the same id.
    assert sum(count - 1 for count in times.values()) <= 80


def test_a_failed_delivery_is_repeated_under_its_id(receiver: Receiver, deliver: Deliver) -> None:
    receiver.answer = lambda _: 503 if len(receiver.received) == 1 else 204
    waiting(subscription(receiver.url))
    assert eventually(lambda: finished() == 1), deliver.log
    assert len(receiver.ids("/")) == 2 and len(set(receiver.ids("/"))) == 1
    assert [line["status_code"] for line in Delivery.objects.get().log] == [503, 204]


def test_two_processes_share_the_work_and_stop_cleanly(receiver: Receiver, tmp_path: Path) -> None:
    both = [process.wait_ready() for process in [Deliver(tmp_path / f"{n}.log") for n in range(2)]]
    waiting(subscription(receiver.url), 200)
    assert eventually(lambda: finished() == 200), both[0].log
    for process in both:
        process.stop()
    assert [process.process.returncode for process in both] == [0, 0]
    assert Counter(Counter(receiver.ids("/")).values()) == {1: 200}


def test_the_events_of_one_person_arrive_in_order(receiver: Receiver, deliver: Deliver) -> None:
    subscription(receiver.url)
    for n in range(5):
        texts = [inbound_text(wamid=f"wamid.{n}.{k}", text=f"{n * 10 + k:02}") for k in range(10)]
        receive(webhook(*texts))
    assert eventually(lambda: finished() == 50), deliver.log
    delivered = [json.loads(got.body)["data"]["text"] for got in receiver.received]
    assert delivered == sorted(delivered)
