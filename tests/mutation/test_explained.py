"""The table of explained survivors."""

import pytest

from mutation.explained import Explained, explained, outdated

ROW = Explained("a1", "messaging/states.py", "`a` → `b`", "equal")


def test_each_row_gives_a_reason() -> None:
    assert all(row.reason and row.change for row in explained().values())


@pytest.mark.parametrize(
    ("path", "key", "is_outdated"),
    [
        ("messaging/states.py", "a1", False),
        ("messaging/states.py", "b2", True),
        ("messaging/deliver.py", "b2", False),
    ],
)
def test_a_row_whose_change_is_no_longer_in_its_file_is_outdated(
    path: str, key: str, is_outdated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutation.explained.explained", lambda: {ROW.key: ROW})
    assert bool(outdated([path], [key])) is is_outdated
