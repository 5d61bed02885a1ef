"""A changed function in a process that has imported its module already."""

import gc
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mutation.change import Change
from mutation.patch import patch

BEFORE = "def double(number):\n    return 2 * number\n"
AFTER = "def double(number):\n    return 3 * number\n"


@pytest.fixture
def frozen() -> Iterator[None]:
    """What is imported is out of the garbage collector's sight, as after a collection of tests."""
    gc.freeze()
    yield
    gc.freeze()


def test_a_function_that_has_made_others_needs_a_new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = "def adding(number):\n    return lambda other: number + other\n\nadd_one = adding(1)\n"
    after = before.replace("+", "-")
    file = tmp_path / "made_up_adding.py"
    file.write_text(before)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "made_up_adding", importlib.import_module("made_up_adding"))
    assert not patch(file, before, Change("key", str(file), "adding", 2, "+", "-", True, after))


def test_a_function_that_was_imported_and_frozen_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    file = tmp_path / "made_up_doubling.py"
    file.write_text(BEFORE)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("made_up_doubling")
    monkeypatch.setitem(sys.modules, "made_up_doubling", module)
    request.getfixturevalue("frozen")
    change = Change("key", str(file), "double", 2, "2 * number", "3 * number", True, AFTER)
    assert patch(file, BEFORE, change)
    assert module.double(2) == 6
