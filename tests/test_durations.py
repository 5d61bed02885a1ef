"""The longest files are run first."""

from types import SimpleNamespace
from typing import Any

from tests import durations
from tests.processes import CHECKOUT


def test_each_recorded_file_exists() -> None:
    assert [file for file in durations.recorded() if not (CHECKOUT / file).is_file()] == []


def test_the_longest_files_come_first_and_new_ones_last() -> None:
    first, second, *_ = durations.recorded()
    items: list[Any] = [
        SimpleNamespace(nodeid=name) for name in ("tests/new.py::b", "tests/new.py::a", f"{second}::c", f"{first}::d")
    ]
    durations.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [f"{first}::d", f"{second}::c", "tests/new.py::b", "tests/new.py::a"]
