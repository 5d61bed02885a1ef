"""Status transitions: one statement changes messages and writes their trail."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import Message
from messaging.states import RANK, Status, may_move
from tests.messaging.factories import in_state, pending, states_of, trail
from tests.messaging.lock_order import holds_while_waiting

pytestmark = pytest.mark.django_db
META = (Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED)


def report(message: Message, status: Status, wamid: str = "wamid.A") -> Change:
    title = "refused" if status is Status.FAILED else ""
    return Change(
        message.id, status, timezone.now(), "webhook", wamid=wamid, error_title=title, key=f"{wamid}:{status}"
    )


def test_a_legal_change_is_applied_and_recorded() -> None:
    message = in_state(Status.ACCEPTED)
    advance_many([report(message, Status.SENT)])
    assert (states_of(message.id), trail(message.id)[-1]) == (["sent"], ("sent", True))


def test_a_late_status_is_recorded_and_not_applied() -> None:
    message = in_state(Status.DELIVERED)
    advance_many([report(message, Status.SENT)])
    assert (states_of(message.id), trail(message.id)[-1]) == (["delivered"], ("sent", False))


def test_a_repeated_status_is_recorded_once() -> None:
    message = in_state(Status.ACCEPTED)
    for _ in range(3):
        advance_many([report(message, Status.SENT)])
    assert [status for status, _ in trail(message.id)].count("sent") == 1


def test_of_several_statuses_the_highest_is_applied_and_all_are_recorded() -> None:
    message = in_state(Status.ACCEPTED)
    advance_many([report(message, status) for status in (Status.READ, Status.SENT, Status.DELIVERED)])
    assert (states_of(message.id), len(trail(message.id))) == (["read"], 4)


@pytest.mark.parametrize("unranked", [Status.CANCELLED, Status.EXPIRED])
def test_a_status_of_meta_comes_before_one_that_ends_the_wait(unranked: Status) -> None:
    message = in_state(Status.ACCEPTED)
    advance_many([Change(message.id, unranked, timezone.now(), "operator"), report(message, Status.SENT)])
    assert states_of(message.id) == ["sent"]


def test_a_message_that_does_not_exist_is_no_error() -> None:
    assert advance_many([Change(uuid4(), Status.SENT, timezone.now(), "webhook")]) == []


def test_a_status_sets_the_wamid_of_a_message_with_an_unknown_outcome() -> None:
    message = in_state(Status.UNKNOWN)
    advance_many([report(message, Status.SENT, wamid="wamid.LOST")])
    assert Message.objects.get(pk=message.pk).wamid == "wamid.LOST"


def test_a_change_with_another_expected_status_is_not_applied() -> None:
    message = in_state(Status.SENDING)
    change = Change(message.id, Status.PENDING, timezone.now(), "dispatcher", expected=Status.QUEUED)
    advance_many([change])
    assert states_of(message.id) == ["sending"]


def test_a_retry_keeps_the_last_errors_title() -> None:
    message = in_state(Status.SENDING)
    later = timezone.now() + timedelta(seconds=8)
    advance_many(
        [Change(message.id, Status.PENDING, timezone.now(), "worker", error_code=2, error_title="busy", due_at=later)]
    )
    message.refresh_from_db()
    assert (message.error_title, message.due_at, message.released_at) == ("busy", later, None)


@pytest.mark.parametrize("wamid", ["wamid.SAME", "wamid.OTHER"])
def test_the_statement_applies_exactly_the_changes_of_the_table_of_states(wamid: str) -> None:
    pairs = [(before, after) for before in Status for after in RANK]
    messages = pending(len(pairs))
    for message, (before, _) in zip(messages, pairs, strict=True):
        Message.objects.filter(pk=message.pk).update(status=before, wamid=f"wamid.SAME{message.id}")
    changes = [
        Change(message.id, after, timezone.now(), "webhook", wamid=f"{wamid}{message.id}")
        for message, (_, after) in zip(messages, pairs, strict=True)
    ]
    moved = [event.applied for event in sorted(advance_many(changes), key=lambda event: event.message_id)]
    assert moved == [may_move(before, after, same_attempt=wamid == "wamid.SAME") for before, after in pairs]


def test_the_answer_of_a_call_makes_a_message_pending_only_while_its_call_is_open() -> None:
    states = list(Status)
    messages = pending(len(states))
    for message, before in zip(messages, states, strict=True):
        Message.objects.filter(pk=message.pk).update(status=before, calls=1)
    changes = [Change(message.id, Status.PENDING, timezone.now(), "worker", call=1) for message in messages]
    events = sorted(advance_many(changes), key=lambda event: event.message_id)
    assert {before for before, event in zip(states, events, strict=True) if event.applied} == {"sending", "unknown"}


@pytest.mark.slow("tries random orders")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(META), min_size=1, max_size=8), st.data())
def test_statuses_in_any_order_and_repetition_end_in_the_same_status(
    statuses: list[Status], data: st.DataObject
) -> None:
    Message.objects.all().delete()
    first, second = in_state(Status.ACCEPTED), in_state(Status.ACCEPTED, peer="15559999999")
    for status in statuses:
        advance_many([report(first, status)])
    shuffled = data.draw(st.permutations(statuses))
    half = data.draw(st.integers(0, len(shuffled)))
    for batch in (shuffled[:half], shuffled[half:], shuffled):
        advance_many([report(second, status, wamid="wamid.B") for status in batch])
    highest = max(statuses, key=RANK.__getitem__)
    assert states_of(first.id, second.id) == [highest, highest]


@pytest.mark.django_db(transaction=True)
def test_overlapping_batches_in_any_order_do_not_deadlock() -> None:
    messages = pending(40)
    failures: list[Exception] = []

    def work(status: Status) -> None:
        try:
            for turn in range(15):
                batch = messages if turn % 2 else messages[::-1]
                advance_many([report(m, status, wamid=f"wamid.{m.id}") for m in batch])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(status,)) for status in META]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, set(states_of(*[m.id for m in messages]))) == ([], {"read"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("avoided", ["", "nestloop mergejoin indexscan bitmapscan"], ids=["by index", "by table"])
def test_messages_are_locked_in_id_order_for_any_order_of_changes(avoided: str) -> None:
    first, second = sorted(pending(2), key=lambda message: message.pk)
    Message.objects.filter(pk=first.pk).update(text="now the last row of the table")
    changes = [report(message, Status.SENT, wamid=f"wamid.{message.pk}") for message in (second, first)]

    def work() -> None:
        """Advance, also with a sequential scan, which the planner may choose for many rows."""
        with connection.cursor() as cursor:
            for name in avoided.split():
                cursor.execute(f"SET enable_{name} = off")
        advance_many(changes)

    assert not holds_while_waiting(work, first, second)
