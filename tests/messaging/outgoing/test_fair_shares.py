"""Clients of one number share its pace fairly."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.identifiers import uuid7
from messaging.models import ApiClient, BusinessNumber, Direction, Message, Priority
from messaging.outgoing.due_selection import DueMessage, due_now, round_robin
from messaging.outgoing.release import release
from tests.messaging.factories import number

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
RATE = 80
TICK = 13  # messages of the first tick after a pause at this rate


def due(client_id: int | None, second: int, priority: int = Priority.NORMAL) -> DueMessage:
    at = NOW + timedelta(seconds=second)
    return DueMessage(priority, at, uuid4(), "1", "", client_id, False, None, False, None, None, None, None, None)


@pytest.mark.parametrize(
    ("messages", "clients"),
    [
        ([due(1, 0), due(1, 1), due(1, 2), due(2, 9)], {0: {1, 2}, 2: {1}}),
        ([due(1, 0), due(1, 1), due(None, 9), due(None, 10)], {0: {1, None}, 2: {1, None}}),
        ([due(1, 0), due(2, 9, Priority.HIGH), due(2, 10, Priority.HIGH)], {0: {2}, 1: {2}}),
    ],
    ids=["a bulk and one", "staff count as a client", "a higher priority first"],
)
def test_each_client_gets_one_in_turn_within_a_priority(
    messages: list[DueMessage], clients: dict[int, set[int | None]]
) -> None:
    order = [message.client_id for message in round_robin(messages, NOW)]
    assert {at: set(order[at : at + len(expected)]) for at, expected in clients.items()} == clients


def test_the_messages_of_one_client_keep_their_order() -> None:
    messages = [due(1, second) for second in range(20)]
    assert round_robin(messages[::-1], NOW) == messages


def test_no_client_is_first_in_every_turn() -> None:
    messages = [due(client, 0) for client in range(4)]
    first = Counter(round_robin(messages, NOW + timedelta(milliseconds=50 * tick))[0].client_id for tick in range(400))
    assert min(first[client] for client in range(4)) > 50


def client(name: str) -> ApiClient:
    return ApiClient.objects.get_or_create(name=name)[0]


def bulk(count: int, name: str, **fields: object) -> list[Message]:
    """Messages of a client that have been due for a minute, each to another recipient."""
    sender, at = number(rate=RATE), timezone.now() - timedelta(minutes=1)
    return Message.objects.bulk_create(
        Message(
            id=uuid7(), direction=Direction.OUTBOUND, number=sender, client=client(name), type="text",
            content={"content": "hello"}, peer=f"1555{n:07d}", status="pending", due_at=at, **fields
        )
        for n in range(count)
    )  # fmt: skip


def one(name: str, priority: Priority = Priority.NORMAL) -> UUID:
    sender = number(rate=RATE)
    new = NewMessage("15559999999", "text", {"content": "hi"}, sender, priority=priority)
    return accept([new], client(name))[0].id


def released() -> list[UUID]:
    return [message_id for batch in release(number(rate=RATE).pk) for message_id in batch.message_ids]


@pytest.mark.slow("stores a bulk of thousands")
@pytest.mark.django_db
def test_a_bulk_of_another_client_does_not_delay_a_message_of_the_same_priority() -> None:
    bulk(3000, "shop")
    message_id = one("bank")
    assert message_id in released()


@pytest.mark.django_db
def test_a_bulk_of_another_client_with_parked_messages_does_not_delay_one_either() -> None:
    rows = bulk(60, "shop")
    Message.objects.filter(pk__in=[row.pk for row in rows[:40]]).update(peer="15550000000")
    assert released()
    Message.objects.filter(status="queued").update(status="accepted", outcome_at=timezone.now())
    message_id = one("bank")
    assert message_id in released()


@pytest.mark.django_db
def test_two_bulks_are_released_half_and_half() -> None:
    bulk(100, "shop")
    for n, row in enumerate(bulk(100, "bank")):
        Message.objects.filter(pk=row.pk).update(peer=f"1666{n:07d}")
    names = Counter(Message.objects.filter(pk__in=released()).values_list("client__name", flat=True))
    assert (sum(names.values()), min(names.values())) == (TICK, TICK // 2)


@pytest.mark.django_db
def test_a_higher_priority_is_not_shared_with_a_lower_one() -> None:
    bulk(100, "shop", priority=Priority.HIGH)
    message_id = one("bank", Priority.NORMAL)
    assert message_id not in released()


@pytest.mark.django_db
def test_every_client_of_many_gets_its_share_of_a_slow_number() -> None:
    for name in ("a", "b", "c"):
        bulk(30, name)
    BusinessNumber.objects.update(rate=1)
    for row in Message.objects.all():
        Message.objects.filter(pk=row.pk).update(peer=str(row.pk))
    for _ in range(30):
        BusinessNumber.objects.update(tokens=1)
        release(BusinessNumber.objects.get().pk)
        Message.objects.filter(status="queued").update(status="accepted", outcome_at=timezone.now())
    names = Counter(Message.objects.filter(status="accepted").values_list("client__name", flat=True))
    assert min(names[name] for name in ("a", "b", "c")) >= 3


@pytest.mark.slow("stores a bulk of thousands")
@pytest.mark.django_db
def test_selection_reads_a_bulk_of_another_client_only_as_far_as_it_releases() -> None:
    bulk(3000, "shop")
    one("bank")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
        due_now(cursor, number().pk, TICK)
        cursor.execute("SELECT pg_stat_force_next_flush()")
        before = _tuples_read()
        due_now(cursor, number().pk, TICK)
        assert _tuples_read() - before < 200


def _tuples_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_get_xact_tuples_fetched('messaging_message'::regclass)"
            " + pg_stat_get_xact_tuples_returned('messaging_message'::regclass)"
        )
        (count,) = cursor.fetchone()
    return int(count)
