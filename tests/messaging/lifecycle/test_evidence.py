"""Beside the new state: domain events, duplicate sends, and failures that came before the answer of their call."""

from collections.abc import Iterator, Sequence

import pytest
from django.utils import timezone

from messaging.lifecycle.domain_events import DomainEvent, StatusChanged, listen, stop_listening
from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import Message, MessageEvent
from messaging.states import Status
from tests.messaging.factories import in_state, states_of, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[DomainEvent]]:
    """The domain events that are published during the test."""
    seen: list[DomainEvent] = []

    def hear(items: Sequence[DomainEvent]) -> None:
        seen.extend(items)

    listen(hear)
    yield seen
    stop_listening(hear)


def status(message: Message, state: Status, wamid: str) -> Change:
    return Change(message.id, state, timezone.now(), "webhook", wamid=wamid, key=f"{wamid}:{state}")


def acceptance(message: Message, wamid: str, call: int) -> Change:
    """Meta's answer to a worker's call."""
    return Change(message.id, Status.ACCEPTED, timezone.now(), "worker", wamid=wamid, call=call, outcome="accepted")


@pytest.mark.django_db(transaction=True)
def test_a_move_is_published_with_its_row_of_the_trail(heard: list[DomainEvent]) -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.A")
    (logged,) = advance_many([status(message, Status.SENT, "wamid.A")])
    assert heard == [StatusChanged(message.id, Status.SENT, logged.event_id)]


@pytest.mark.django_db(transaction=True)
def test_evidence_that_moves_nothing_is_not_published(heard: list[DomainEvent]) -> None:
    message = in_state(Status.DELIVERED, wamid="wamid.A")
    advance_many([status(message, Status.SENT, "wamid.A")])
    assert heard == []


@pytest.mark.parametrize(("wamid", "doubled"), [("wamid.A", False), ("wamid.B", True)])
def test_a_message_of_two_wamids_was_sent_twice(wamid: str, doubled: bool) -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.A")
    advance_many([status(message, Status.SENT, wamid)])
    message.refresh_from_db()
    assert (message.duplicate_found_at is not None) is doubled


def test_an_operator_is_alerted_once_of_a_duplicate_send(
    alerts: list[tuple[str, str]], django_capture_on_commit_callbacks: object
) -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.A")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        for state in (Status.SENT, Status.DELIVERED):
            advance_many([status(message, state, "wamid.B")])
    assert alerts == [("doubled", str(message.id))]


def test_a_failure_of_the_other_wamid_is_no_duplicate_send() -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.A")
    advance_many([status(message, Status.FAILED, "wamid.B"), status(message, Status.SENT, "wamid.B")])
    message.refresh_from_db()
    assert message.duplicate_found_at is None


def second_try() -> Message:
    """A message whose second call is under way and has failed by webhook already."""
    message = in_state(Status.SENDING, calls=2)
    advance_many([status(message, Status.FAILED, "wamid.B")])
    assert states_of(message.id) == ["sending"]
    return message


def test_a_failure_that_came_before_the_answer_of_its_call_fails_the_message() -> None:
    message = second_try()
    advance_many([acceptance(message, "wamid.B", 2)])
    assert (states_of(message.id), trail(message.id)[-2:]) == (["failed"], [("accepted", True), ("failed", True)])


def test_a_failure_of_another_call_does_not() -> None:
    message = second_try()
    advance_many([acceptance(message, "wamid.C", 2)])
    assert (states_of(message.id), trail(message.id)[-1]) == (["accepted"], ("accepted", True))


def test_an_earlier_event_that_moved_nothing_is_no_failure() -> None:
    message = second_try()
    MessageEvent.objects.create(
        message=message, status=Status.UNKNOWN, at=timezone.now(), source="worker", applied=False
    )
    advance_many([acceptance(message, "wamid.C", 2)])
    assert (states_of(message.id), trail(message.id)[-1]) == (["accepted"], ("accepted", True))


def test_an_answer_that_comes_too_late_brings_no_failure_back() -> None:
    message = second_try()
    Message.objects.filter(pk=message.pk).update(status=Status.DELIVERED, wamid="wamid.B")
    before = MessageEvent.objects.filter(message=message).count()
    assert [event.applied for event in advance_many([acceptance(message, "wamid.B", 2)])] == [False]
    assert MessageEvent.objects.filter(message=message).count() == before + 1


def test_a_failure_of_another_message_with_the_same_wamid_is_its_own() -> None:
    message, other = second_try(), second_try()
    advance_many([acceptance(message, "wamid.B", 2)])
    assert states_of(message.id, other.id) == ["failed", "sending"]
