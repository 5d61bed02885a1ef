"""A run: draw the sample of each package, and let tests try each change, the nearest tests first."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mutation.change import Change
from mutation.changes import Found, changes, sample
from mutation.coverage_map import CoverageMap
from mutation.explained import outdated
from mutation.host import Host, Verdict, host
from mutation.patch import patch
from mutation.results import Result, Results

# A loaded machine is slower than it was when the tests were measured.
PATIENCE, LEAST_S = 6.0, 30.0
# A survivor meets at most this many seconds of tests of other folders, the quickest files first.
LONGEST_FAR_S = 40.0
OWN_TESTS, OWN_FOLDER = "own tests", "own folder"
# A test of the pages takes a browser, and seconds, for what other tests see.
LEFT_OUT = (
    "browser",
    "sandbox",
    "tests/admin/test_theme",
    "tests/deploy",
    "tests/bench",
    "tests/chaos",
    "tests/testkit",
    "tests/mutation",
)


class Run:
    """The changes of one package against its own tests, then against all others that run the changed function."""

    def __init__(self, host: Host, results: Results, covered: CoverageMap, own: Sequence[str], var: Path) -> None:
        self._host, self._results, self._covered, self._own, self._var = host, results, covered, own, var

    def measure(self) -> None:
        """Find what each test of the package's own folders runs, where that is not known yet.

        Files that start processes wait until their module or step 3 needs them: what processes run cannot be measured.
        """
        self._covered.measure(self._host, [file for file in self._own if not starts_processes(file)], self._var)

    def near(self, found: Found) -> Result:
        """Try one change with its folder's tests that run the changed function, those of its module first."""
        change = found.made()
        self._covered.measure(self._host, [file for file in self._own if _mirrors(file, change)], self._var)
        tests = self._near(change) or self._by_name(change)
        first = [nodeid for nodeid in tests if _mirrors(nodeid, change)]
        return self._judge(change, [(OWN_TESTS, first), (OWN_TESTS, [n for n in tests if n not in set(first)])])

    def far(self, found: Found) -> Result:
        """Try one change with all other tests that run the function, then with the rest of its own folder."""
        change = found.made()
        elsewhere = wide_files()
        self._covered.measure(self._host, elsewhere, self._var)
        near = set(self._near(change))
        others = [nodeid for nodeid in self._covered.tests(elsewhere, _name(change)) if nodeid not in near]
        others = self._covered.quickest(others, LONGEST_FAR_S)
        return self._judge(change, [("other tests", others), (OWN_FOLDER, self._own_folder(change))])

    def own(self, found: Found) -> Result:
        """Try one change with its own folder, where tests start processes that run the function."""
        change = found.made()
        return self._judge(change, [(OWN_FOLDER, self._own_folder(change))])

    def _own_folder(self, change: Change) -> list[str]:
        """All tests of its folder, those first that run it as far as is known by now: `near` knew fewer."""
        self._covered.measure(self._host, self._own, self._var)
        known = set(self._near(change))
        return sorted(
            self._covered.tests(self._own), key=lambda nodeid: (not _mirrors(nodeid, change), nodeid not in known)
        )

    def _by_name(self, change: Change) -> list[str]:
        """Tests for a function that only runs while its module is imported: those of its module, else the quickest."""
        tests = self._covered.tests(self._own)
        return [n for n in tests if _mirrors(n, change)] or self._covered.quickest(tests, LONGEST_FAR_S)

    def _near(self, change: Change) -> list[str]:
        return self._covered.tests(self._own, _name(change))

    def _judge(self, change: Change, stages: Sequence[tuple[str, list[str]]]) -> Result:
        began, verdict, stage = time.monotonic(), Verdict("passed", "", 0.0), ""
        _ORIGINALS[change.path] = Path(change.path).read_text()
        with written(Path(change.path), change.source):
            for stage, tests in stages:
                if tests and (verdict := self._tests(change, tests, fresh=stage == OWN_FOLDER)).noticed:
                    break
        return Result(
            change.key,
            change.path,
            change.function,
            change.line,
            change.before,
            change.after,
            verdict.end,
            verdict.end,
            stage,
            verdict.test,
            round(time.monotonic() - began, 1),
        )

    def _tests(self, change: Change, tests: list[str], fresh: bool) -> Verdict:
        longest_s = LEAST_S + PATIENCE * self._covered.seconds(tests)
        files = sorted({nodeid.partition("::")[0] for nodeid in tests})
        file = Path(change.path).absolute()
        if fresh or not change.in_body or not self._near(change):
            return self._host.fresh(tests, files, longest_s)
        original = _ORIGINALS[change.path]
        verdict = self._host.forked(tests, files, longest_s, lambda: patch(file, original, change))
        return verdict if verdict.end != "unfit" else self._host.fresh(tests, files, longest_s)


def _mirrors(nodeid: str, change: Change) -> bool:
    return f"/test_{Path(change.path).stem}" in nodeid.partition("::")[0]


def _name(change: Change) -> str:
    return f"{change.path}::{change.function}"


_ORIGINALS: dict[str, str] = {}


@contextmanager
def written(file: Path, source: str) -> Iterator[None]:
    """The changed file on disk, for processes that tests start; without the bytecode of the other version."""
    original = file.read_text()
    try:
        file.write_text(source)
        _forget_bytecode(file)
        yield
    finally:
        file.write_text(original)
        _forget_bytecode(file)


def _forget_bytecode(file: Path) -> None:
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)


def wide_files() -> list[str]:
    """The test files of all packages; those of the whole product take too long to show for one change."""
    found = [file for file in test_files("tests") if Path(file).parent != Path("tests")]
    return [file for file in found if not any(word in file for word in LEFT_OUT)]


def starts_processes(file: str) -> bool:
    """Whether the tests of this file start processes, as far as its imports say."""
    return any(name in Path(file).read_text() for name in ("tests.processes", "import subprocess"))


def test_files(folder: str) -> list[str]:
    """The test files below a folder, or the one file."""
    if folder.endswith(".py"):
        return [folder]
    return sorted(str(file) for file in Path(folder).rglob("test_*.py") if "browser" not in file.name)


@dataclass(frozen=True)
class Options:
    """The sample's size (0: all) and seed, the monotonic time of the end, and three choices of the command line."""

    size: int
    seed: int
    until: float
    again: bool
    near_only: bool
    quick: bool


@dataclass(frozen=True)
class Plan:
    """One package: its sample, what of it is to be judged, its own test files, and its results so far."""

    package: str
    drawn: list[Found]
    new: list[Found]
    own: list[str]
    results: Results

    def unsettled(self) -> list[Found]:
        """Survivors of their own tests that have met no others."""
        return [c for c in self.drawn if c.key in self.results.by_key and not self.results.by_key[c.key].settled]


def run(packages: Mapping[str, Sequence[str]], options: Options, var: Path) -> bool:
    """Judge what is not judged yet of these packages (with their test folders); False if the time was over first."""
    plans = [_plan(package, folders, options, var) for package, folders in packages.items()]
    plans = [plan for plan in plans if plan.new or plan.unsettled()]
    if not plans:
        _say("all changes are judged")
        return True
    with host(sorted({file for plan in plans for file in plan.own}), var) as servers:
        covered = CoverageMap.load(var / "map.json")
        return all(_judge(plan, Run(servers, plan.results, covered, plan.own, var), options) for plan in plans)


def _plan(package: str, folders: Sequence[str], options: Options, var: Path) -> Plan:
    files = sorted(str(file) for file in Path(package).rglob("*.py") if "migrations" not in file.parts)
    found = [change for file in files for change in changes(Path(), file)]
    for row in outdated(files, [change.key for change in found]):
        _say(f"explained.toml: {row.key} is no longer in {row.path}: {row.change}")
    drawn = sample(found, options.size, options.seed)
    results = Results(var, package, options.seed)
    kept = results.by_key
    new = [c for c in drawn if c.key not in kept or (options.again and not kept[c.key].noticed)]
    return Plan(package, drawn, new, [file for folder in folders for file in test_files(folder)], results)


def _judge(plan: Plan, tries: Run, options: Options) -> bool:
    tries.measure()
    rounds: list[tuple[Callable[[Found], Result], Callable[[], list[Found]]]] = [
        (tries.near, lambda: plan.new),
        (tries.own if options.near_only else tries.far, plan.unsettled),
    ]
    for judge, which in rounds[: 1 if options.quick else 2]:
        left = which()
        for at, one in enumerate(left, 1):
            if time.monotonic() > options.until:
                _say(f"{plan.package}: time is over; the same command goes on")
                return False
            result = judge(one)
            plan.results.add(result)
            _say(
                f"{plan.package} {at}/{len(left)} {result.now} ({result.seconds} s) "
                f"{result.path}:{result.line} {result.test}"
            )
    return True


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
