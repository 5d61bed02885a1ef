"""`python -m bench [NAME ...] [--runs N] [--short] [--stored N]`: measure, write var/bench.json, judge by the targets.

Exit status 1 when a target is missed or a measurement fails. A name measures that part anew and keeps the other parts'
figures in the file. `--stored N` measures the parts that a pipeline's age may slow down, with N messages from earlier
days. `analytics` is measured only when it is named: it makes ten million messages, which `--database DIRECTORY` keeps.
`--short` only shows that everything works, writes var/bench-short.json and judges nothing. `python -m bench page` and
`plot` bring docs/performance.md and its plot up to date with var/bench.json.
"""

import argparse
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.measurements import AT_AN_AGE, BY_DEFAULT, MEASUREMENTS, Result, measure
from bench.report import machine, page
from bench.report.targets import judge, row
from deploy.local import LocalError
from testkit.load.http_load import UnexpectedAnswer
from testkit.waiting import NotReady

PAGES = {"page": page.write, "plot": page.write_plot}
ROW = "{:<48} {:>14} {:>14}  {}"


def main() -> int:
    """Do what the command line says; the exit status."""
    options = _parser().parse_args()
    var = Path(os.environ.get("VAR_DIR", "var"))
    report = var / ("bench-short.json" if options.short else "bench.json")
    if options.names and options.names[0] in PAGES:
        if options.short:
            sys.exit(f"--short does not apply to {options.names[0]}: its figures are of too few messages.")
        return _write_page(options.names, report)
    if mixed := [name for name in options.names if name in PAGES]:
        sys.exit(f"{mixed[0]} stands alone: python -m bench {mixed[0]}.")
    names = list(dict.fromkeys(options.names)) or list(AT_AN_AGE if options.stored else BY_DEFAULT)
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        sys.exit(f"No part is called {', '.join(unknown)}. There are: {', '.join([*MEASUREMENTS, *PAGES])}.")
    if options.database and not options.stored and names != ["analytics"]:
        sys.exit("--database is for analytics and for --stored: other parts begin with an empty one.")
    if options.stored < 0:
        sys.exit(f"--stored is a number of messages, and not {options.stored}.")
    if options.stored and (ageless := [name for name in names if name not in AT_AN_AGE]):
        sys.exit(f"--stored does not apply to {', '.join(ageless)}, only to: {', '.join(AT_AN_AGE)}.")
    _read(report)  # before anything is measured that could not be added to it
    # SIGTERM unwinds like Ctrl-C, so it leaves no process behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    runs = 1 if options.short else options.runs
    try:
        for results in measure(
            names, runs, short=options.short, stored_messages=options.stored, database=options.database
        ):
            _write(report, results)
    except (BenchError, LocalError, NotReady, UnexpectedAnswer) as error:
        notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        sys.exit(f"The measurement failed: {error}{notes}")
    if options.short:
        print(f"Everything works; the figures in {report} are of too few messages to mean anything.")
        return 0
    judged = judge(_read(report))
    print(ROW.format("", "measured", "target", ""))
    for one in judged:
        print(ROW.format(*row(one)))
    return 0 if all(one.met for one in judged) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Speed and cost, beside stock Celery in the same run."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join([*MEASUREMENTS, *PAGES]) + "; all but analytics when none"
    )
    parser.add_argument(
        "--runs", type=int, choices=range(1, 100), default=3, metavar="N", help="runs to take medians of (3)"
    )
    parser.add_argument("--short", action="store_true", help="only show that everything works")
    parser.add_argument(
        "--stored", type=int, default=0, metavar="N", help=f"with N stored messages: {', '.join(AT_AN_AGE)}"
    )
    parser.add_argument(
        "--database",
        type=Path,
        metavar="DIRECTORY",
        help="where analytics and --stored keep their messages for the next run",
    )
    return parser


def _write(report: Path, results: dict[str, Result]) -> None:
    """Write these figures; those of other parts stay, each with its own date and machine."""
    whole = _read(report)
    about = {"date": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine.describe()}
    whole.setdefault("measured", {})
    for name, result in results.items():
        whole[name] = result.figures
        whole["measured"][name] = {**about, "runs": result.runs, "yardstick": result.yardstick}
    report.parent.mkdir(parents=True, exist_ok=True)
    # A kill in the middle, or a full disk, must not cost the figures of other parts.
    draft = report.with_suffix(".new")
    draft.write_text(json.dumps(whole, indent=2) + "\n")
    draft.replace(report)


def _read(report: Path) -> dict[str, Any]:
    """The figures so far. Exits where the file holds none."""
    try:
        whole: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
    except (OSError, ValueError) as error:
        sys.exit(f"{report} cannot be read ({error}): repair it, or remove it.")
    return whole


def _write_page(names: list[str], report: Path) -> int:
    if not report.exists():
        sys.exit(f"{report} does not exist: python -m bench makes it.")
    if unknown := [name for name in names if name not in PAGES]:
        sys.exit(f"No page is called {', '.join(unknown)}. There are: {', '.join(PAGES)}.")
    for name in names:
        PAGES[name](_read(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
