"""Lock order of the outgoing lane: messages by id, accounts, numbers by id, pairs, holds."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from django.db import Error, connection, transaction
from django.db.models import Model
from django.utils import timezone

from messaging.lifecycle import deadlock_retry
from messaging.models import Account, BusinessNumber, Hold, HoldKind, Message, PairPace
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.holds.suspensions import Refusal, apply_suspensions, resume
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.recovery import undo_release
from messaging.outgoing.release import Release, release
from messaging.outgoing.retry_policy import Suspension
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import Scope, Throttled, WhatsAppError
from tests.messaging.factories import accepted, number, pending, released, states_of
from tests.messaging.lock_order import holds_while_waiting
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER_LIMIT = Throttled(code=130429, scope=Scope.NUMBER, wait=0.01)
PAIR_LIMIT = Throttled(code=131056, scope=Scope.PAIR, wait=0.01)


def backwards(batch: Release) -> Release:
    """The same release, its ids in the wrong order."""
    return Release(batch.release_id, sorted(batch.message_ids, reverse=True))


def by_id(batch: Release) -> list[Message]:
    return list(Message.objects.filter(pk__in=batch.message_ids).order_by("pk"))


def record_all(rows: Sequence[Claimed], result: Accepted | WhatsAppError) -> None:
    record([Outcome(row, result, timezone.now()) for row in rows])


@pytest.mark.parametrize("avoided", ["", "nestloop mergejoin indexscan bitmapscan"], ids=["by index", "by table"])
def test_a_claim_locks_messages_in_id_order(avoided: str) -> None:
    batch = released(2)
    first, second = by_id(batch)
    Message.objects.filter(pk=first.pk).update(text="now the last row of the table")

    def work() -> None:
        with connection.cursor() as cursor:
            for name in avoided.split():
                cursor.execute(f"SET enable_{name} = off")
        claim([backwards(batch)])

    assert not holds_while_waiting(work, first, second)


def test_undo_release_locks_messages_in_id_order() -> None:
    batch = released(2)
    first, second = by_id(batch)
    Message.objects.filter(pk=first.pk).update(text="now the last row of the table")
    assert not holds_while_waiting(lambda: undo_release(backwards(batch)), first, second)


@pytest.mark.parametrize("result", [NUMBER_LIMIT, PAIR_LIMIT])
def test_an_outcome_locks_its_messages_before_number_and_pair(result: WhatsAppError) -> None:
    (row,) = claim([released(1)])
    message = Message.objects.get()
    for second in (number(), PairPace.objects.get()):
        assert not holds_while_waiting(partial(record_all, [row], result), message, second)
        Message.objects.update(status="sending", released_at=timezone.now(), outcome_at=None)


def suspend(*scopes: Scope) -> None:
    """Refusals of these scopes of one message to a template."""
    refusals = [
        Refusal(number().pk, "15550000000", "offer", Suspension(scope, 0.01), "", timezone.now()) for scope in scopes
    ]
    with transaction.atomic():
        apply_suspensions(refusals, {})


def test_pairs_are_locked_in_the_order_of_recipients() -> None:
    sender = number()
    pairs = [PairPace.objects.create(number=sender, peer=f"1555000000{n}") for n in range(2)]
    refusals = [
        Refusal(sender.pk, pair.peer, "", Suspension(Scope.PAIR, 1.0), "", timezone.now()) for pair in reversed(pairs)
    ]

    def work() -> None:
        with transaction.atomic():
            apply_suspensions(refusals, {})

    assert not holds_while_waiting(work, *pairs)


@pytest.mark.parametrize("later", ["pair", "hold"])
def test_a_number_is_locked_before_pairs_and_holds(later: str) -> None:
    sender = number()
    pair = PairPace.objects.create(number=sender, peer="15550000000")
    hold = Hold.objects.create(kind=HoldKind.TEMPLATE, key="offer", number=sender, by="system")
    second: Model = pair if later == "pair" else hold
    assert not holds_while_waiting(lambda: suspend(Scope.TEMPLATE, Scope.PAIR, Scope.NUMBER), sender, second)


@pytest.mark.parametrize("later", ["number", "hold"])
def test_an_account_is_locked_before_numbers_and_holds(later: str) -> None:
    sender = number(waba_id="77")
    account = Account.objects.create(waba_id="77")
    hold = Hold.objects.create(kind=HoldKind.TEMPLATE, key="offer", waba_id="77", by="system")
    second: Model = sender if later == "number" else hold
    assert not holds_while_waiting(lambda: suspend(Scope.TEMPLATE, Scope.NUMBER), account, second)


def test_numbers_that_are_resumed_are_locked_in_id_order() -> None:
    first, second = (BusinessNumber.objects.create(phone_number_id=f"99{n}") for n in range(2))
    BusinessNumber.objects.filter(pk=first.pk).update(rate=80)  # now the last row of the table

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        resume([second.pk, first.pk])

    assert not holds_while_waiting(work, first, second)


def test_a_release_does_not_wait_for_a_message_that_a_worker_has_locked() -> None:
    locked, free = pending(2)
    batches: list[Release] = []

    def work() -> None:
        try:
            batches.extend(release(locked.number_id))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=locked.pk)
        thread.start()
        thread.join(PATIENCE_S)
        waited = thread.is_alive()
    thread.join()
    assert (waited, [batch.message_ids for batch in batches]) == (False, [[free.id]])


def test_a_release_does_not_wait_for_a_number_that_another_dispatcher_has_locked() -> None:
    pending()
    sender = number()
    batches: list[list[Release]] = []

    def work() -> None:
        try:
            batches.append(release(sender.pk))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        BusinessNumber.objects.select_for_update().get(pk=sender.pk)
        thread.start()
        thread.join(PATIENCE_S)
        waited = thread.is_alive()
    thread.join()
    assert (waited, batches) == (False, [[]])


@pytest.fixture
def deadlocks(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What lost a deadlock and was tried again."""
    lost: list[Exception] = []
    judge = deadlock_retry._lost_a_race

    def noted(error: Exception) -> bool:
        if getattr(error.__cause__, "pgcode", None) == deadlock_retry.DEADLOCK_DETECTED:
            lost.append(error)
        return judge(error)

    monkeypatch.setattr(deadlock_retry, "_lost_a_race", noted)
    return lost


def together(*works: Callable[[], object]) -> list[Exception]:
    """Run these at the same time; the database errors that they raised."""
    failures: list[Exception] = []
    start = threading.Barrier(len(works), timeout=PATIENCE_S)

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait()
            work()
        except Error as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_a_claim_and_an_undo_of_one_release_do_not_deadlock(deadlocks: list[Exception]) -> None:
    pending(40)
    for _ in range(10):
        PairPace.objects.all().delete()  # a burst to one recipient ends after five seconds
        (batch,) = release(number().pk)
        copy = backwards(batch)
        failures = together(lambda b=batch: claim([b]), lambda c=copy: undo_release(c), lambda c=copy: claim([c]))  # type: ignore[misc]
        states = set(states_of(*batch.message_ids))
        assert (failures, deadlocks, states <= {"sending", "pending"}) == ([], [], True)
        Message.objects.update(status="pending", released_at=None, outcome_at=None, due_at=timezone.now())


def test_outcomes_with_suspensions_and_a_release_do_not_deadlock(deadlocks: list[Exception]) -> None:
    pending(40)
    for _ in range(10):
        PairPace.objects.all().delete()  # a burst to one recipient ends after five seconds
        (batch,) = release(number().pk)
        rows = claim([batch])
        number(throttled_until=None)
        failures = together(
            partial(record_all, rows[:10], PAIR_LIMIT),
            partial(record_all, rows[20:9:-1], PAIR_LIMIT),
            partial(record_all, rows[:20], NUMBER_LIMIT),
            partial(record, [Outcome(row, accepted(f"wamid.{row.message_id}"), timezone.now()) for row in rows[20:]]),
            partial(release, rows[0].number_id),
        )
        assert (failures, deadlocks) == ([], [])
        PairPace.objects.update(not_before=None, tat=timezone.now())
        Message.objects.update(
            status="pending", wamid=None, released_at=None, outcome_at=None, due_at=timezone.now(), hold=None
        )
        number(throttled_until=None)
