"""A run over the changes of by_hand.toml: each meets the tests that it names, in a new interpreter."""

import sys
from pathlib import Path

from mutation.by_hand import HandChange, hand_changes
from mutation.host import Host, Verdict, host
from mutation.run import test_files, written

# Longer than the tests of any row take on a loaded machine.
LONGEST_S = 300.0


def run_by_hand(var: Path) -> bool:
    """Make each change; whether tests noticed all. Raises SystemExit if such a test fails without a change too."""
    rows = hand_changes()
    with host(test_files("tests/mutation"), var) as servers:
        verdicts = {row: _with(row, servers) for row in rows}
        witnesses = {verdict.test for verdict in verdicts.values() if verdict.test}
        hangs = {
            name for row, verdict in verdicts.items() if verdict.noticed and not verdict.test for name in _files(row)
        }
        for order, files in ((sorted(witnesses), sorted({_file(test) for test in witnesses})), (None, sorted(hangs))):
            unchanged = servers.fresh(order, files, LONGEST_S) if files else None
            if unchanged and unchanged.noticed:
                raise SystemExit(f"{unchanged.end} without any change: {unchanged.test or var / 'last-run.log'}")
    unnoticed = [row for row, verdict in verdicts.items() if not verdict.noticed]
    sys.stdout.write(f"{len(rows)} changes by hand, {len(rows) - len(unnoticed)} noticed\n")
    sys.stdout.writelines(f"- {row.path}: {row.breaks}\n" for row in unnoticed)
    return not unnoticed


def _with(change: HandChange, servers: Host) -> Verdict:
    file = Path(change.path)
    with written(file, change.made(file.read_text())):
        verdict = servers.fresh(None, _files(change), LONGEST_S)
    sys.stderr.write(f"{verdict.end} ({verdict.seconds} s): {change.breaks} {verdict.test}\n")
    sys.stderr.flush()
    return verdict


def _files(change: HandChange) -> list[str]:
    return [name for place in change.tests for name in ([place] if place.endswith(".py") else test_files(place))]


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
