"""The verdict on accepted messages."""

import pytest

from testkit.load.witness import Verdict, compare


@pytest.mark.parametrize(
    ("sends", "rows", "counted"),
    [
        ({"1": 1}, {"1": "read"}, (0, 0, 0)),
        ({}, {"1": "accepted"}, (1, 0, 0)),
        ({}, {}, (1, 0, 0)),
        ({"1": 1}, {"1": "failed"}, (1, 0, 0)),
        ({"1": 2}, {"1": "read"}, (0, 1, 0)),
        ({"1": 1}, {"1": "unknown"}, (0, 0, 1)),
        ({}, {"1": "pending"}, (0, 0, 1)),
        ({"1": 1, "2": 1}, {"1": "read", "2": "read"}, (0, 0, 0)),
    ],
)
def test_lost_doubled_and_unsettled_messages_are_counted(
    sends: dict[str, int], rows: dict[str, str], counted: tuple[int, int, int]
) -> None:
    assert compare({"1"}, sends, rows) == Verdict(*counted)
