"""Which tests a change meets."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

MUTMUT = Path(sys.prefix, "mutmut")
NEAR, LATER = "tests/made_up/test_near.py::test_near", "tests/made_up/test_later.py::test_in_a_process"


class Host:
    """Runs nothing, and remembers what it was to run."""

    def __init__(self, passed: Any) -> None:
        self.ran: list[str] = []
        self._passed = passed

    def fresh(self, order: list[str], files: list[str], longest_s: float) -> Any:
        self.ran += order
        return self._passed


@pytest.mark.skipif(not MUTMUT.exists(), reason="`make mutants` installs mutmut")
def test_a_survivor_meets_its_whole_folder_also_what_was_measured_after_its_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(MUTMUT)])
    from mutation.change import Change
    from mutation.coverage_map import CoverageMap
    from mutation.host import Verdict
    from mutation.run import Run

    file = tmp_path / "made_up.py"
    file.write_text("def work():\n    return 1\n")
    change = Change("key", str(file), "work", 2, "1", "2", True, "def work():\n    return 2\n")
    ran = {"seconds": 1.0, "passed": True, "ran": [0]}
    # An earlier survivor of the package has made the run measure the file that starts processes.
    files = {nodeid.partition("::")[0]: {"hash": "", "tests": {nodeid: ran}} for nodeid in (NEAR, LATER)}
    covered = CoverageMap(tmp_path / "map.json", files, [f"{file}::work"])
    monkeypatch.setattr(covered, "measure", lambda *_: None)
    host: Any = Host(Verdict("passed", "", 1.0))
    results: Any = SimpleNamespace()
    Run(host, results, covered, list(files), tmp_path).own(SimpleNamespace(made=lambda: change))  # type: ignore[arg-type]
    assert set(host.ran) == {NEAR, LATER}
