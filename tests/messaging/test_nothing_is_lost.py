"""Whatever Meta sends, in whatever order and however often: it is answered 200, and all of it is found again."""

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, example, given, settings

from messaging.incoming import webhook as endpoint
from messaging.incoming.statuses import sweep_orphans
from messaging.incoming.store import receive
from messaging.models import AccountEvent, Contact, Message, MessageEvent, OrphanStatus, StoredWebhook, UnknownUpdate
from messaging.states import Status
from messaging.whatsapp.inbound.envelope import has_changes, is_envelope, is_messages, updates
from messaging.whatsapp.inbound.signature import sign
from messaging.whatsapp.storable import storable
from tests.environment import APP_SECRET
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.factories import in_state, states_of
from tests.messaging.incoming.test_webhook import post
from tests.messaging.whatsapp.strategies import BODIES
from tests.processes import Worker
from tests.waiting import eventually
from waproject.queues import LANES

# So little that most bodies are split, and now and then one travels through the database.
SMALL_BYTES = 300


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str]]:
    """What the endpoint put on the queue: each task, and its arguments as JSON."""
    found: list[tuple[Any, str]] = []

    def publish(task: Any, *args: Any, **_: Any) -> None:
        found.append((task, json.dumps(args)))

    def publish_many(task: Any, calls: list[tuple[Any, ...]]) -> list[bool]:
        for args in calls:
            publish(task, *args)
        return [True] * len(calls)

    monkeypatch.setattr(endpoint, "publish", publish)
    monkeypatch.setattr(endpoint, "publish_many", publish_many)
    monkeypatch.setattr(endpoint, "TASK_BYTES", SMALL_BYTES)
    return found


def answer_to(raw: bytes) -> int:
    """The status."""
    return endpoint.accept_webhook(raw, sign(raw, APP_SECRET)).status


def pieces(body: Any) -> Iterator[Any]:
    """Every update of a body, separated by the envelope alone; a body without updates whole."""
    if not is_envelope(body):
        yield body
        return
    for entry in body["entry"]:
        for change in entry["changes"] if has_changes(entry) else [entry]:
            if is_messages(change):
                yield from (element for _, element in updates(change["value"]))
            else:
                yield change


def rounded(value: Any) -> Any:
    """As jsonb keeps it: 5e16 comes back as an integer, with digits that a float has not."""
    match value:
        case bool():
            return value
        case int() | float():
            return float(value)
        case list():
            return [rounded(element) for element in value]
        case dict():
            return {key: rounded(element) for key, element in value.items()}
        case _:
            return value


def found_again(piece: Any) -> bool:
    """Whether the database has it, whole, or as the repetition of something that it has."""
    for model in (Message, OrphanStatus, UnknownUpdate, AccountEvent):
        if any(rounded(raw) == rounded(piece) for raw in model.objects.values_list("raw", flat=True)):
            return True
    if not isinstance(piece, dict) or not isinstance(wamid := piece.get("id"), str):
        return False
    known = OrphanStatus.objects.filter(wamid=wamid, status=str(piece.get("status"))).exists()
    return known or Message.objects.filter(wamid=wamid).exists()


@pytest.mark.slow("stores random webhooks")
@pytest.mark.django_db
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes with a database
)
@example(webhook(inbound_text(), {**inbound_text(), "type": "image"}, statuses=(status("sent"), status("sent"))))
@given(BODIES)
def test_all_content_of_a_valid_envelope_is_stored_or_kept_as_unknown(
    published: list[tuple[Any, str]], body: Any
) -> None:
    published.clear()
    for model in (Message, OrphanStatus, UnknownUpdate, AccountEvent, StoredWebhook, Contact):
        model.objects.all().delete()
    assert answer_to(json.dumps(body).encode()) == 200
    for task, args in published:
        task(*json.loads(args))
    lost = [piece for piece in pieces(storable(body)) if not found_again(piece)]
    assert (lost, StoredWebhook.objects.count()) == ([], 0)


IN_ORDER = [
    ("sent", "delivered", "read"),
    ("sent", "read"),
    ("sent", "delivered"),
    ("sent", "failed"),
    ("delivered", "read", "played"),
]
MESSAGES = 20


def all_updates(prefix: str) -> list[dict[str, Any]]:
    """Bodies with one update each: statuses of our messages, and messages of users, in Meta's order."""
    bodies = []
    for n in range(MESSAGES):
        for step, state in enumerate(IN_ORDER[n % len(IN_ORDER)]):
            errors: dict[str, Any] = {"errors": [{"code": 131026, "title": "x"}]} if state == "failed" else {}
            update = status(state, wamid=f"{prefix}.out{n}", at=1_790_000_000 + step, **errors)
            bodies.append(webhook(statuses=(update,)))
        bodies.append(webhook(inbound_text(wamid=f"{prefix}.in{n}", sender=f"1555000{n % 7:04}", at=1_790_000_000 + n)))
    return bodies


def end_state(prefix: str) -> list[tuple[str, str, str, int | None]]:
    rows = Message.objects.filter(wamid__startswith=f"{prefix}.").order_by("wamid")
    return [(str(row.wamid)[len(prefix) :], row.status, row.text, row.error_code) for row in rows]


@pytest.mark.slow("stores random webhooks")
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(2))
def test_updates_that_come_twice_and_shuffled_end_as_those_that_come_once_and_in_order(seed: int) -> None:
    for prefix in ("wamid.a", "wamid.b"):
        for n in range(MESSAGES):
            in_state(Status.ACCEPTED, wamid=f"{prefix}.out{n}")
    for body in all_updates("wamid.a"):
        receive(body)
    shuffled = all_updates("wamid.b") * 2
    order = random.Random(seed)
    order.shuffle(shuffled)
    cuts = sorted({0, len(shuffled), *(order.randrange(len(shuffled)) for _ in range(20))})
    for begin, end in pairwise(cuts):
        receive(*shuffled[begin:end])
    assert end_state("wamid.b") == end_state("wamid.a")
    assert Contact.objects.count() == 7


@pytest.mark.django_db
def test_statuses_that_all_come_before_their_message_are_applied_when_it_is_there() -> None:
    for state in ("read", "sent", "delivered"):
        receive(webhook(statuses=(status(state, wamid="wamid.EARLY"),)))
    message = in_state(Status.ACCEPTED, wamid="wamid.EARLY")
    sweep_orphans()
    assert (states_of(message.id), OrphanStatus.objects.count()) == (["read"], 0)


@pytest.mark.django_db
def test_a_conversation_reads_in_metas_order_however_it_came() -> None:
    receive(webhook(*[inbound_text(wamid=f"wamid.{n}", text=str(n), at=1_790_000_010) for n in range(3, 6)]))
    receive(webhook(*[inbound_text(wamid=f"wamid.{n}", text=str(n), at=1_790_000_001 + n) for n in (2, 1, 0)]))
    texts = Message.objects.order_by("at", "id").values_list("text", flat=True)
    assert list(texts) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.django_db(transaction=True)
def test_two_worker_processes_with_the_same_webhooks_at_once_store_each_once(sqs: Any, tmp_path: Path) -> None:
    database = connection.settings_dict
    url = f"postgres://waproject:{database['PASSWORD']}@127.0.0.1:{database['PORT']}/{database['NAME']}"
    workers = [Worker("incoming", tmp_path / f"{n}.log", DATABASE_URL=url, WORKER_NAME=f"w{n}") for n in (1, 2)]
    try:
        for worker in workers:
            worker.wait_ready()
        texts = [inbound_text(wamid=f"wamid.{n}", sender=f"1555000{n % 9:04}") for n in range(40)]
        for n in range(0, 40, 4):
            body = webhook(*texts[n : n + 4])
            for _ in range(4):
                post(body)
        assert eventually(lambda: Message.objects.count() == 40 and not left(sqs)), workers[0].log
        assert (Contact.objects.count(), MessageEvent.objects.count()) == (9, 40)
        assert not any("failed" in worker.log for worker in workers)
    finally:
        for worker in workers:
            worker.stop()


def left(sqs: Any) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=LANES["incoming"].url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)
