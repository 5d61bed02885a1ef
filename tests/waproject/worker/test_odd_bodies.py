"""Nothing that a body contains ends or stalls a worker: a seeded fuzz through real workers.

`FUZZ_BODIES=10000` runs the long form; `FUZZ_SEED` another one.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from rest_framework.test import APIClient

from analytics.models import Event
from messaging.models import Message, UnknownUpdate
from messaging.whatsapp.inbound.signature import sign
from tests.environment import APP_SECRET
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.incoming.wsgi import ask, webhook_environ
from tests.processes import Worker
from tests.waiting import eventually
from tests.waproject.worker.doubles.odd_bodies import odd_texts
from waproject.queues import LANES, Lane
from waproject.sqs import control

BODIES = int(os.environ.get("FUZZ_BODIES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "17"))
# Each valid body is followed by so many odd ones, so that it shares its receive and its transaction with them.
ODD_EACH = 4
TOKEN = re.compile(r"fuzz-\d+-")

pytestmark = [
    pytest.mark.slow("starts processes of the pipeline"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sqs"),
]


@pytest.fixture
def quick_redrive(sqs_server: Any) -> Iterator[None]:
    """Queues with maxReceiveCount 2."""
    sqs, before = control.client("us-east-1"), {}
    for lane in (LANES["incoming"], LANES["analytics"]):
        names = ["RedrivePolicy", "VisibilityTimeout"]
        before[lane.url] = sqs.get_queue_attributes(QueueUrl=lane.url, AttributeNames=names)["Attributes"]
        policy = {**json.loads(before[lane.url]["RedrivePolicy"]), "maxReceiveCount": "2"}
        # Long enough for a busy worker to delete what it has done.
        quick = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "5"}
        sqs.set_queue_attributes(QueueUrl=lane.url, Attributes=quick)
    yield
    for url, attributes in before.items():
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def started(lane: str, log: Path) -> Worker:
    at = connection.settings_dict
    return Worker(
        lane, log, DATABASE_URL=f"postgres://waproject:{at['PASSWORD']}@127.0.0.1:{at['PORT']}/{at['NAME']}"
    ).wait_ready()


def processes(worker: Worker) -> set[int]:
    """The pids of a worker and its pool."""
    pid = worker.process.pid
    return {pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())}


def depth(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def dead_letters(sqs: Any, lane: Lane) -> Iterator[str]:
    while found := sqs.receive_message(QueueUrl=lane.dlq_url, MaxNumberOfMessages=10).get("Messages"):
        yield from (message["Body"] for message in found)


def signed(raw: bytes) -> int:
    return int(ask(webhook_environ(raw, **{"X-Hub-Signature-256": sign(raw, APP_SECRET)})).status_code)


def odd_webhooks(random: Random) -> Iterator[bytes]:
    """Each with a token beside its value, which is stored with it as an unknown update."""
    value = webhook(inbound_text(), statuses=(status("delivered", callback=str(uuid4())),))
    values = odd_texts(random, value["entry"][0]["changes"][0]["value"])
    for number, text in enumerate(values):
        change = f'{{"field": "messages", "value": {text}, "token": "fuzz-{number}-"}}'
        yield f'{{"object": "whatsapp_business_account", "entry": [{{"id": "1", "changes": [{change}]}}]}}'.encode()


def test_no_webhook_ends_a_worker_and_each_is_stored_or_refused(sqs: Any, quick_redrive: None, tmp_path: Path) -> None:
    lane, odd = LANES["incoming"], odd_webhooks(Random(SEED))
    worker = started("incoming", tmp_path / "worker.log")
    try:
        before, sent, wamids, answers = processes(worker), set(), set(), Counter[int]()
        for number in range(0, BODIES, ODD_EACH + 1):
            wamids.add(wamid := f"wamid.VALID{number}")
            assert signed(json.dumps(webhook(inbound_text(wamid=wamid))).encode()) == 200
            for raw in islice(odd, ODD_EACH):
                answers[answer := signed(raw)] += 1
                sent |= {match for match in TOKEN.findall(raw.decode()) if answer == 200}
        assert set(answers) == {200}
        assert eventually(lambda: depth(sqs, lane.url) == 0, every=0.5), worker.log[-3000:]
        assert processes(worker) == before
        stored = {token for raw in UnknownUpdate.objects.values_list("raw", flat=True) for token in _tokens(raw)}
        dead = {token for body in dead_letters(sqs, lane) for token in _tokens(body)}
        assert sent == stored | dead
        assert wamids <= set(Message.objects.values_list("wamid", flat=True))
        assert (dead, [line for line in worker.log.splitlines() if "Traceback" in line]) == (set(), [])
    finally:
        worker.stop()


def _tokens(value: Any) -> list[str]:
    return TOKEN.findall(value if isinstance(value, str) else json.dumps(value))


def test_no_event_ends_a_worker_and_each_is_stored_or_refused(
    sqs: Any, quick_redrive: None, api: APIClient, tmp_path: Path
) -> None:
    lane, random = LANES["analytics"], Random(SEED)
    texts = odd_texts(random, {"event_type": "t", "event_data": {"a": {"b": [1, {"c": "d"}]}, "e": 1.5}})
    worker = started("analytics", tmp_path / "worker.log")
    try:
        before, taken, answers = processes(worker), set(), Counter[int]()
        for number, text in enumerate(islice(texts, BODIES)):
            valid = json.dumps({"event_type": "valid", "event_data": {"n": number}})
            for body in (text, valid) if number % (ODD_EACH + 1) == 0 else (text,):
                answer = api.post("/messaging/analytics", body, content_type="application/json")
                answers[answer.status_code] += 1
                taken |= set(answer.json().get("ids", ()))
        assert set(answers) == {202, 400}
        assert eventually(lambda: depth(sqs, lane.url) == 0, every=0.5), worker.log[-3000:]
        assert processes(worker) == before
        assert taken == {str(pk) for pk in Event.objects.values_list("pk", flat=True)}
        assert depth(sqs, lane.dlq_url) == 0
    finally:
        worker.stop()


def test_no_message_ends_a_worker_and_each_is_deleted_or_reaches_the_dlq(
    sqs: Any, quick_redrive: None, tmp_path: Path
) -> None:
    lane, random = LANES["incoming"], Random(SEED)
    task = {
        "body": json.dumps([[webhook(inbound_text())], {}, {"callbacks": None, "errbacks": None, "chord": None}]),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {
            **{"id": "1", "task": "messaging.receive", "lang": "py", "root_id": "1", "parent_id": None},
            **{"group": None, "shadow": None, "eta": None, "expires": None, "retries": 0, "timelimit": [None, None]},
            **{"argsrepr": "", "kwargsrepr": "", "origin": "o", "ignore_result": False, "stamps": {}},
            **{"stamped_headers": None, "replaced_task_nesting": 0, "request_id": "r"},
        },
        "properties": {
            **{"correlation_id": "1", "reply_to": "", "delivery_mode": 2, "priority": 0, "delivery_tag": "1"},
            "delivery_info": {"exchange": "", "routing_key": "incoming"},
        },
    }
    worker = started("incoming", tmp_path / "worker.log")
    try:
        before = processes(worker)
        for text in islice(odd_texts(random, task), BODIES):
            sqs.send_message(QueueUrl=lane.url, MessageBody=text)
        valid = webhook(inbound_text(wamid="wamid.LAST"))
        assert signed(json.dumps(valid).encode()) == 200
        assert eventually(lambda: depth(sqs, lane.url) == 0, every=0.5), worker.log[-3000:]
        assert processes(worker) == before
        assert Message.objects.filter(wamid="wamid.LAST").count() == 1
        assert depth(sqs, lane.dlq_url) > 0
    finally:
        worker.stop()
