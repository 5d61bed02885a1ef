"""The dispatcher's loop."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from messaging import dispatch
from messaging.accepting.accept import NewMessage, accept
from messaging.access import idempotency
from messaging.dispatch import Dispatcher
from messaging.incoming.store import receive
from messaging.models import BusinessNumber, Message, MessageEvent, Priority
from messaging.outgoing.call_pool import CallPool
from messaging.outgoing.claims import claim
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.recovery import sweep_expired
from messaging.outgoing.release import Release, inbound_rates, numbers_with_due_messages, release
from messaging.portfolios import assign_portfolio
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import accepted, number, pending, released, states_of
from tests.messaging.outgoing.test_call_pool import Meta
from tests.messaging.slow_statement import take_too_long
from tests.waiting import eventually
from waproject.queues import LANES

pytestmark = pytest.mark.django_db


def tasks(sqs: Any) -> list[Any]:
    """The releases that the tasks on the outgoing queue name."""
    answer = sqs.receive_message(QueueUrl=LANES["outgoing"].url, MaxNumberOfMessages=10)
    return [json.loads(json.loads(message["Body"])["body"])[0][0] for message in answer.get("Messages", [])]


def test_a_tick_puts_due_messages_on_the_outgoing_queue(sqs: Any) -> None:
    rows = pending(3)
    Dispatcher().tick()
    ((_, message_ids),) = tasks(sqs)
    assert message_ids == [str(row.id) for row in rows]


def test_a_worker_can_claim_what_the_task_names(sqs: Any) -> None:
    pending(3)
    Dispatcher().tick()
    ((release_id, message_ids),) = tasks(sqs)
    assert len(claim([Release(UUID(release_id), [UUID(message_id) for message_id in message_ids])])) == 3


def test_a_second_tick_sends_nothing_twice(sqs: Any) -> None:
    pending(3)
    dispatcher = Dispatcher()
    dispatcher.tick()
    dispatcher.tick()
    assert len(tasks(sqs)) == 1


@pytest.fixture
def direct_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The bodies that direct delivery sends, to a fake of Meta."""
    meta = Meta()
    pool = CallPool(lambda _: meta, max_calls=4)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr("messaging.outgoing.call_pool._pool", pool)
    yield meta.bodies
    pool.close(10)


@pytest.mark.django_db(transaction=True)
def test_during_an_sqs_outage_the_dispatcher_delivers_directly(sqs_away: None, direct_calls: list[Any]) -> None:
    rows = pending(3)
    Dispatcher().tick()
    assert eventually(lambda: states_of(*[row.id for row in rows]) == ["accepted"] * 3)


@pytest.mark.django_db(transaction=True)
def test_direct_delivery_claims_no_more_than_it_has_free_calls(sqs_away: None, direct_calls: list[Any]) -> None:
    rows = pending(12)
    dispatcher = Dispatcher()
    dispatcher.tick()
    assert eventually(lambda: dispatcher.tick() is not None and Message.objects.filter(status="accepted").count() == 12)
    assert sorted(body["biz_opaque_callback_data"] for body in direct_calls) == sorted(str(row.id) for row in rows)


@pytest.mark.django_db(transaction=True)
def test_direct_delivery_also_sends_what_was_queued_before(sqs_away: None, direct_calls: list[Any]) -> None:
    batch = released(2)
    Message.objects.update(released_at=timezone.now() - timedelta(seconds=3))
    pending(peer="15559999999")
    Dispatcher().tick()
    assert eventually(lambda: states_of(*batch.message_ids) == ["accepted"] * 2)


@pytest.mark.django_db(transaction=True)
def test_a_task_that_sqs_delivers_after_the_outage_claims_nothing(sqs_away: None, direct_calls: list[Any]) -> None:
    pending()
    Dispatcher().tick()
    row = Message.objects.get()
    assert row.release_id
    assert claim([Release(row.release_id, [row.id])]) == []


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_share_one_pace() -> None:
    pending(300)
    sender = number(rate=100)
    BusinessNumber.objects.update(tokens=0, tokens_at=timezone.now())
    began = time.monotonic()

    def work() -> None:
        while time.monotonic() < began + 1.5:
            release(sender.pk)
            # Workers keep up: no message stays queued.
            Message.objects.filter(status="queued").update(status="accepted", outcome_at=timezone.now())
            time.sleep(0.02)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    released_events = MessageEvent.objects.filter(status="queued")
    assert released_events.count() <= (took + 0.25) * 97 + 5
    assert released_events.values("message_id").distinct().count() == released_events.count()


def test_an_urgent_message_is_first_in_the_next_tick(sqs: Any) -> None:
    pending(2000)
    for _ in range(3):
        release(number().pk)
    Message.objects.filter(status="queued").update(status="accepted", outcome_at=timezone.now())
    urgent = pending(peer="15559999999", priority=Priority.HIGH)[0]
    (batch, *_) = release(number().pk)
    assert batch.message_ids[0] == urgent.id


def test_a_message_past_its_expires_at_is_not_released() -> None:
    row = pending()[0]
    Message.objects.update(expires_at=timezone.now())
    assert (release(number().pk), states_of(row.id)) == ([], ["expired"])


def test_a_message_that_expires_on_the_queue_is_not_claimed() -> None:
    batch = released(1)
    Message.objects.update(expires_at=timezone.now())
    claimed = claim([batch])
    sweep_expired()
    assert (claimed, states_of(*batch.message_ids)) == ([], ["expired"])


def test_a_held_message_expires_too() -> None:
    row = pending()[0]
    Message.objects.update(expires_at=timezone.now(), hold="campaign:1")
    sweep_expired()
    assert states_of(row.id) == ["expired"]


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_a_message_that_meta_may_have_taken_does_not_expire(status: str) -> None:
    row = pending()[0]
    Message.objects.update(expires_at=timezone.now(), status=status)
    sweep_expired()
    assert states_of(row.id) == [status]


def test_inbound_messages_reduce_the_pace() -> None:
    pending(200)
    sender = number(rate=80)
    quick = sum(len(batch.message_ids) for batch in release(sender.pk, inbound=40.0))
    assert quick == int(40 * 0.97 * 0.25 / 1.5) + 1


def test_inbound_messages_are_counted_per_number() -> None:
    for n in range(10):
        receive(webhook(inbound_text(wamid=f"wamid.IN{n}", at=int(time.time()) - 4 * (n % 2))))
    assert inbound_rates() == {number().pk: 2.0}


def backlog(age: int) -> Any:
    """A webhook with 500 messages of this age."""
    return webhook(*(inbound_text(wamid=f"wamid.OLD{n}", at=int(time.time()) - age) for n in range(500)))


def history() -> Any:
    """The same messages, new, as a part of the phone app's history."""
    body = backlog(0)
    change = body["entry"][0]["changes"][0]
    thread = {"id": "15551230001", "messages": change["value"].pop("messages")}
    change["field"], change["value"]["history"] = "history", [{"threads": [thread]}]
    return body


@pytest.mark.parametrize("body", [lambda: backlog(60), lambda: backlog(86_400), history], ids=["minute", "day", "app"])
def test_a_backlog_or_a_history_that_is_stored_now_leaves_the_pace_alone(body: Callable[[], Any]) -> None:
    receive(body())
    pending(200)
    sender = number(rate=80)
    rates = inbound_rates()
    count = sum(len(batch.message_ids) for batch in release(sender.pk, rates.get(sender.pk, 0.0)))
    assert (Message.objects.filter(direction="inbound").count(), rates) == (500, {})
    assert count == int(80 * 0.97 * 0.25 / 1.5) + 1


def test_a_failing_sweep_does_not_keep_others_from_their_work(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Any]:
        raise ValueError("a row that breaks a sweep")

    def works() -> list[Any]:
        swept.append(True)
        return []

    swept: list[bool] = []
    monkeypatch.setattr(dispatch, "SWEEPS", ((1.0, broken), (1.0, works)))
    Dispatcher().tick()
    assert swept == [True]


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON messaging_message FOR EACH ROW
WHEN (NEW.id = %s AND NEW.status = 'queued') EXECUTE FUNCTION refuse();
"""


def test_a_release_that_the_database_refuses_keeps_no_other_number_from_its_turn(sqs: Any) -> None:
    other = BusinessNumber.objects.create(phone_number_id="999")
    accept([NewMessage("15550000000", "text", {"content": "hi"}, sender) for sender in (number(), other)])
    first, second = (Message.objects.get(number=pk).pk for pk in numbers_with_due_messages())
    with connection.cursor() as cursor:
        cursor.execute(REFUSE, [first])
    Dispatcher().tick()
    assert (states_of(first), states_of(second)) == (["pending"], ["queued"])


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_takes_too_long_does_not_keep_others_from_their_work(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[bool] = []
    monkeypatch.setattr(dispatch, "SWEEPS", ((1.0, take_too_long), (1.0, lambda: swept.append(True))))
    Dispatcher().tick()
    assert swept == [True]


def test_a_number_whose_release_fails_does_not_keep_others_from_theirs(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [row.id for row in pending(4)]
    whole = BusinessNumber.objects.create(phone_number_id="2", rate=1000, tokens=1)
    Message.objects.filter(id__in=ids[2:]).update(number=whole)

    def fail_for_the_first(number_id: int, *rest: Any) -> Any:
        if number_id != whole.pk:
            take_too_long()
        return release(number_id, *rest)

    dispatcher = Dispatcher()
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "release", fail_for_the_first)
        assert (dispatcher.tick(), states_of(*ids)) == (2, ["pending", "pending", "queued", "queued"])
    assert eventually(lambda: dispatcher.tick() == 2)


@pytest.mark.parametrize("rows", [1, 30])
def test_a_tick_takes_few_statements(rows: int, django_assert_max_num_queries: Any) -> None:
    pending(rows)
    sender = number()
    assign_portfolio(sender.pk)  # once in the life of a number
    with django_assert_max_num_queries(7):  # with the savepoint that a test's transaction adds
        release(sender.pk)


def test_a_worker_takes_one_statement_to_claim_and_one_to_record(django_assert_num_queries: Any) -> None:
    batch = released(20)
    with django_assert_num_queries(2):
        rows = claim([batch])
        record([Outcome(row, accepted(f"wamid.{row.message_id}"), timezone.now()) for row in rows])


def test_old_idempotency_keys_are_deleted_as_fast_as_a_number_can_send() -> None:
    every = {sweep: seconds for seconds, sweep in dispatch.SWEEPS}[idempotency.sweep_idempotency_keys]
    assert idempotency.SWEEP_ROWS / every >= 1000
