"""The table of moves."""

import pytest

from messaging.states import FROM_META, LEGAL_MOVES, TRANSITIONS, Status, may_move


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("before", [Status.PENDING, Status.QUEUED, Status.SENDING, Status.UNKNOWN, Status.ACCEPTED])
def test_delivery_may_be_reported_whatever_we_believed(before: Status) -> None:
    assert may_move(before, Status.DELIVERED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Status.DELIVERED, Status.SENT),
        (Status.READ, Status.DELIVERED),
        (Status.READ, Status.FAILED),
        (Status.ACCEPTED, Status.PENDING),
        (Status.SENT, Status.SENDING),
        (Status.RECEIVED, Status.READ),
        (Status.CANCELLED, Status.QUEUED),
    ],
)
def test_nothing_goes_back(before: Status, after: Status) -> None:
    assert not may_move(before, after)


def test_a_late_sent_of_the_attempt_that_failed_changes_nothing() -> None:
    assert not may_move(Status.FAILED, Status.SENT, same_attempt=True)


def test_a_sent_of_another_attempt_ends_a_failure() -> None:
    assert may_move(Status.FAILED, Status.SENT)


def test_sql_knows_the_same_moves() -> None:
    assert len(LEGAL_MOVES) == sum(map(len, TRANSITIONS.values()))


def test_a_played_voice_message_is_read() -> None:
    assert FROM_META["played"] is Status.READ
