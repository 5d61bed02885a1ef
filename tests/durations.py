"""The order of the files: the longest first, so that no worker is left with a long one at the end.

`pytest --record-durations` writes how long each file took to tests/durations.json; what took less than LISTED_S, and
what is new, comes after those.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

RECORD = Path(__file__).with_name("durations.json")
LISTED_S = 2.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record-durations`."""
    parser.addoption("--record-durations", action="store_true", help=f"write {RECORD.name} at the end of the run")


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that collects the reports of all workers."""
    if config.getoption("record_durations") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; each file's tests stay together, in their order."""
    seconds = recorded()
    items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), 0.0))


def recorded() -> dict[str, float]:
    """Seconds by file, of the files that took LISTED_S or more."""
    return dict(json.loads(RECORD.read_text()))


def file_of(nodeid: str) -> str:
    """A test's file, from the root of the checkout."""
    return nodeid.partition("::")[0]


class Recorder:
    """Sums up the reports."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A set-up, a call or a teardown."""
        self._seconds[file_of(report.nodeid)] += report.duration  # type: ignore[assignment]

    def pytest_sessionfinish(self) -> None:
        """Write the record."""
        listed = {file: round(seconds, 1) for file, seconds in self._seconds.most_common() if seconds >= LISTED_S}
        RECORD.write_text(json.dumps(listed, indent=1) + "\n")
