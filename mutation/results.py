"""The verdicts of a package's sample, kept after each change so that a killed run goes on, and the report."""

import json
from collections.abc import Container
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Result:
    """One change and the verdicts on it: the first one, of its package's own tests, and the present one."""

    key: str
    path: str
    function: str
    line: int
    before: str
    after: str
    first: str
    now: str
    stage: str
    test: str
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether a test fails now, or hangs."""
        return self.now in ("failed", "timeout")

    @property
    def settled(self) -> bool:
        """Whether no further test needs to try it."""
        return self.noticed or self.stage != "own tests"


class Results:
    """The results of one package and seed."""

    def __init__(self, var: Path, package: str, seed: int) -> None:
        self._file = var / f"{package.replace('/', '-')}.{seed}.json"
        kept = json.loads(self._file.read_text())["results"] if self._file.exists() else []
        self.package, self.seed = package, seed
        self.by_key: dict[str, Result] = {row["key"]: Result(**row) for row in kept}

    def add(self, result: Result) -> None:
        """Keep a verdict; the first one stays beside it."""
        if result.key in self.by_key:
            result.first = self.by_key[result.key].first
        self.by_key[result.key] = result
        draft = self._file.with_suffix(".new")
        rows = [asdict(row) for row in self.by_key.values()]
        draft.write_text(json.dumps({"package": self.package, "seed": self.seed, "results": rows}, indent=1))
        draft.replace(self._file)


def report(var: Path, explained: Container[str]) -> str:
    """Markdown: a line per package, and the changes that no test notices and no row explains."""
    table = [
        "| package | seed | sampled | noticed at first, by own tests | noticed now | explained | open |",
        "|---|---|---|---|---|---|---|",
    ]
    survivors: list[str] = []
    for file in sorted(var.glob("*.*.json")):
        kept = json.loads(file.read_text())
        rows = [Result(**row) for row in kept["results"]]
        first = sum(row.first in ("failed", "timeout") for row in rows)
        left = [row for row in rows if not row.noticed]
        unexplained = [row for row in left if row.key not in explained]
        cells = [
            f"`{kept['package']}`", kept["seed"], len(rows), _share(first, rows), _share(len(rows) - len(left), rows),
            len(left) - len(unexplained), len(unexplained),
        ]  # fmt: skip
        table.append(f"| {' | '.join(map(str, cells))} |")
        survivors += [_survivor(row) for row in unexplained]
    return "\n".join([*table, "", "Survivors:", "", *survivors, ""])


def _share(count: int, rows: list[Result]) -> str:
    return f"{count} ({count / len(rows):.0%})" if rows else "0"


def _survivor(row: Result) -> str:
    return (
        f"- `{row.key}` {row.path}:{row.line} {row.function}: {_short(row.before)} → {_short(row.after)} ({row.stage})"
    )


def _short(code: str) -> str:
    return f"`{' '.join(code.split())}`"
