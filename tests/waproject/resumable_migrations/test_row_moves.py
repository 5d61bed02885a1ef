"""Rows move in batches until none is left, and a person sees how far it is."""

from io import StringIO

import pytest

from waproject.resumable_migrations import move_rows, row_moves


class Rows:
    """`left` rows in batches of 10; some calls find all rows locked."""

    def __init__(self, left: int, locked: int = 0) -> None:
        self.left, self.locked, self.calls = left, locked, 0

    def count(self) -> int:
        return self.left

    def move(self) -> int:
        self.calls += 1
        if self.locked:
            self.locked -= 1
            return 0
        moved = min(10, self.left)
        self.left -= moved
        return moved


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_moves, "LOCKED_S", 0)


@pytest.mark.parametrize(("left", "calls"), [(0, 0), (1, 1), (10, 1), (25, 3)])
def test_batches_move_until_no_row_is_left(left: int, calls: int) -> None:
    rows = Rows(left)
    assert (move_rows("rows", rows.count, rows.move, StringIO()), rows.calls) == (left, calls)


def test_locked_rows_are_tried_again() -> None:
    rows = Rows(25, locked=2)
    assert move_rows("rows", rows.count, rows.move, StringIO()) == 25


def test_rows_that_come_while_others_move_are_moved_too() -> None:
    rows = Rows(15)
    counts = iter([15, 4, 0])

    def count() -> int:
        rows.left = next(counts)
        return rows.left

    assert move_rows("rows", count, rows.move, StringIO()) == 19


def test_the_end_is_shown() -> None:
    rows, output = Rows(25), StringIO()
    move_rows("rows", rows.count, rows.move, output)
    assert output.getvalue().strip() == "rows [##############################] 25 of 25"


def test_nothing_is_shown_for_no_rows() -> None:
    output = StringIO()
    move_rows("rows", Rows(0).count, lambda: 0, output)
    assert output.getvalue() == ""
