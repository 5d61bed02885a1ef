"""The table of moves."""

import pytest

from messaging.states import FROM_META, LEGAL_MOVES, TRANSITIONS, Status, may_move

# From each state, the states that a message may move to.
MOVES = {
    "pending": "queued cancelled expired failed accepted sent delivered read",
    "queued": "sending pending cancelled expired failed accepted sent delivered read",
    "sending": "pending unknown failed accepted sent delivered read",
    "unknown": "accepted failed pending expired sent delivered read",
    "accepted": "failed sent delivered read",
    "sent": "delivered read failed",
    "delivered": "read",
    "read": "",
    "failed": "pending accepted sent delivered read",
    "cancelled": "accepted sent delivered read",
    "expired": "accepted sent delivered read",
    "received": "",
}
# The moves of MOVES that a status of the attempt whose wamid the message has does not make.
NOT_OF_THE_SAME_ATTEMPT = {
    ("failed", "sent"), ("pending", "sent"), ("queued", "sent"), ("sending", "sent"),
    ("cancelled", "sent"), ("expired", "sent"), ("cancelled", "accepted"), ("expired", "accepted"),
    ("failed", "accepted"), ("pending", "accepted"), ("queued", "accepted"),
    ("pending", "failed"), ("queued", "failed"), ("sending", "failed"), ("unknown", "failed"),
}  # fmt: skip
# The states out of which the answer of a call leads to `pending`: the call was still open.
WHILE_A_CALL_IS_OPEN = {"sending", "unknown"}
PAIRS = [(before, after) for before in Status for after in Status]


def is_listed(before: Status, after: Status) -> bool:
    return after.value in MOVES[before.value].split()


def test_the_table_has_exactly_these_moves() -> None:
    moves = {before.value: {after.value for after in targets} for before, targets in TRANSITIONS.items()}
    assert moves == {before: set(targets.split()) for before, targets in MOVES.items()}


def test_sql_knows_the_same_moves() -> None:
    expected = [f"{before}>{after}" for before, targets in MOVES.items() for after in targets.split()]
    assert sorted(LEGAL_MOVES) == sorted(expected)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_without_a_wamid_the_table_alone_decides(before: Status, after: Status) -> None:
    assert may_move(before, after) is is_listed(before, after)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_status_of_the_same_attempt_neither_ends_a_failure_nor_fails_the_retry(before: Status, after: Status) -> None:
    expected = is_listed(before, after) and (before, after) not in NOT_OF_THE_SAME_ATTEMPT
    assert may_move(before, after, same_attempt=True) is expected


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_failed_of_another_attempt_fails_nothing(before: Status, after: Status) -> None:
    expected = is_listed(before, after) and after != "failed"
    assert may_move(before, after, same_attempt=False) is expected


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_an_answer_of_a_call_sends_nothing_again_that_was_given_up(before: Status, after: Status) -> None:
    expected = is_listed(before, after) and (after != "pending" or before.value in WHILE_A_CALL_IS_OPEN)
    assert may_move(before, after, is_answer=True) is expected


def test_metas_statuses_are_these_of_ours() -> None:
    assert FROM_META == {
        "sent": "sent",
        "delivered": "delivered",
        "read": "read",
        "played": "read",
        "failed": "failed",
    }
