"""The functions that each test runs, measured once per test file and kept in var/mutants/map.json."""

import ast
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import coverage
import pytest

from mutation.host import Host

LONGEST_S = 600.0
TestRun = dict[str, Any]  # seconds, passed, and the functions that ran: indices into "names"


@dataclass
class CoverageMap:
    """Test file → its hash, and its tests with their seconds and the functions ("path::qualname") that they run."""

    store: Path
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, store: Path) -> "CoverageMap":
        """What was measured before."""
        if not store.exists():
            return cls(store)
        kept = json.loads(store.read_text())
        return cls(store, kept["files"], kept["names"])

    def measure(self, host: Host, files: Sequence[str], var: Path) -> None:
        """Run those test files that are new or have changed, a folder at a time."""
        missing = [file for file in files if self.files.get(file, {}).get("hash") != _hash(file)]
        for folder, chunk in groupby(missing, lambda file: Path(file).parent):
            sys.stderr.write(f"measuring {folder}\n")
            self._measure(host, list(chunk), var)

    def _measure(self, host: Host, missing: Sequence[str], var: Path) -> None:
        result = var / "measured.json"
        result.unlink(missing_ok=True)
        recorder = Recorder(result)
        host.forked(None, missing, LONGEST_S, recorder.start, stop_at_first=False, more=[recorder])
        if not result.exists():
            raise SystemExit(f"the tests could not be measured: {var / 'last-run.log'}")
        index = {name: at for at, name in enumerate(self.names)}
        for file in missing:
            self.files[file] = {"hash": _hash(file), "tests": {}}
        for nodeid, test in json.loads(result.read_text()).items():
            for name in test["ran"]:
                if name not in index:
                    index[name] = len(self.names)
                    self.names.append(name)
            test["ran"] = [index[name] for name in test["ran"]]
            self.files[nodeid.partition("::")[0]]["tests"][nodeid] = test
        self.store.write_text(json.dumps({"files": self.files, "names": self.names}))

    def tests(self, files: Sequence[str], function: str | None = None) -> list[str]:
        """The passing tests of these files that run the function (all: None), quick files first."""
        wanted = None if function is None else next((i for i, n in enumerate(self.names) if n == function), -1)
        found: list[tuple[float, str]] = []
        for file in files:
            tests = self.files.get(file, {}).get("tests", {})
            chosen = [n for n, t in tests.items() if t["passed"] and (wanted is None or wanted in t["ran"])]
            seconds = sum(tests[nodeid]["seconds"] for nodeid in chosen)
            found += [(seconds, nodeid) for nodeid in chosen]
        return [nodeid for _, nodeid in sorted(found, key=lambda pair: (pair[0], pair[1].partition("::")[0]))]

    def quickest(self, tests: Sequence[str], at_most_s: float) -> list[str]:
        """As many of these tests, in their order, as take this long."""
        chosen: list[str] = []
        for nodeid in tests:
            at_most_s -= self.seconds([nodeid])
            if at_most_s > 0:
                chosen.append(nodeid)
        return chosen

    def seconds(self, tests: Sequence[str]) -> float:
        """How long these tests took."""
        return float(sum(self.files[nodeid.partition("::")[0]]["tests"][nodeid]["seconds"] for nodeid in tests))


class Recorder:
    """A pytest plugin that records, per test, the functions of the product that run."""

    def __init__(self, result: Path) -> None:
        self._result = result
        root = Path.cwd()
        self._packages = ("messaging", "waproject", "analytics", "monitoring")
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{root}/{name}/*" for name in self._packages]
        )
        self._tests: dict[str, dict[str, Any]] = {}

    def start(self) -> bool:
        """Begin to trace this process."""
        self._coverage.start()
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Everything until the next test belongs to this one."""
        self._coverage.switch_context(item.nodeid)
        self._tests[item.nodeid] = {"seconds": 0.0, "passed": True, "ran": []}
        began = time.monotonic()
        result = yield
        self._tests[item.nodeid]["seconds"] = round(time.monotonic() - began, 3)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails without any change says nothing about changes."""
        if not report.passed:
            self._tests[report.nodeid]["passed"] = False

    def pytest_sessionfinish(self) -> None:
        """Write what was found."""
        self._coverage.stop()
        data = self._coverage.get_data()
        for file in data.measured_files():
            lines = data.contexts_by_lineno(file)
            path = str(Path(file).relative_to(Path.cwd()))
            for name, first, last in _functions(Path(file)):
                ran = {context for line in range(first, last + 1) for context in lines.get(line, ())}
                for context in ran & self._tests.keys():
                    self._tests[context]["ran"].append(f"{path}::{name}")
        self._result.write_text(json.dumps(self._tests))


def _functions(file: Path) -> Iterator[tuple[str, int, int]]:
    """Each function's qualified name, the first line of its body, its last line."""
    for node in ast.parse(file.read_text()).body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{node.name}.{inner.name}" if isinstance(node, ast.ClassDef) else inner.name
                yield name, inner.body[0].lineno, inner.end_lineno or inner.lineno


def _hash(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]
