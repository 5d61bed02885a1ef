"""A run over the changes of by_hand.toml: each meets the tests that it names, in a new interpreter."""

import sys
from pathlib import Path

from mutation.by_hand import HandChange, hand_changes
from mutation.host import Host, host
from mutation.run import test_files, written

# Longer than the tests of any row take on a loaded machine.
LONGEST_S = 300.0


def run_by_hand(var: Path) -> bool:
    """Make each change; whether tests noticed all. Raises SystemExit if a test fails without a change."""
    rows = hand_changes()
    with host(test_files("tests/mutation"), var) as servers:
        unchanged = servers.fresh(None, sorted({name for row in rows for name in _files(row)}), LONGEST_S)
        if unchanged.end != "passed":
            raise SystemExit(f"{unchanged.end} without any change: {unchanged.test or var / 'last-run.log'}")
        unnoticed = [row for row in rows if not _is_noticed(servers, row)]
    sys.stdout.write(f"{len(rows)} changes by hand, {len(rows) - len(unnoticed)} noticed\n")
    sys.stdout.writelines(f"- {row.path}: {row.breaks}\n" for row in unnoticed)
    return not unnoticed


def _is_noticed(servers: Host, change: HandChange) -> bool:
    file = Path(change.path)
    with written(file, change.made(file.read_text())):
        verdict = servers.fresh(None, _files(change), LONGEST_S)
    sys.stderr.write(f"{verdict.end} ({verdict.seconds} s): {change.breaks} {verdict.test}\n")
    return verdict.noticed


def _files(change: HandChange) -> list[str]:
    return [name for place in change.tests for name in ([place] if place.endswith(".py") else test_files(place))]
