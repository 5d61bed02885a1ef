"""The table of changes by hand fits the code and the tests that it names."""

from pathlib import Path

import pytest

from mutation.by_hand import HandChange, hand_changes


@pytest.mark.parametrize("change", hand_changes(), ids=lambda change: change.breaks)
def test_a_change_by_hand_fits_the_code(change: HandChange) -> None:
    code = Path(change.path).read_text()
    assert change.made(code) != code


@pytest.mark.parametrize("change", hand_changes(), ids=lambda change: change.breaks)
def test_the_tests_that_a_change_names_exist(change: HandChange) -> None:
    assert all(Path(place).exists() for place in change.tests)


def test_a_text_that_stands_twice_is_no_change() -> None:
    with pytest.raises(ValueError, match="stands 2 times"):
        HandChange("", "x.py", "a", "b", ()).made("a a")
