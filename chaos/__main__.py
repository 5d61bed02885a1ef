"""``python -m chaos [--short | --inert] [name or beginning of one ...]``: run fault scenarios, fail if one is red.

Prints a table and writes ``chaos.json`` into $VAR_DIR (default var), ``chaos-part.json`` where names are given or
``--short`` is: ``{"scenarios": [{"name", "messages", "lost",
"doubled", "unsettled", "accepted", "hits", "least_hits", "held", "seconds"}]}``. ``--inert`` switches the faults off
and fails unless each scenario misses its hits: one that passes without its fault proves nothing. It writes no report.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from chaos.scenario import Form, Harm, Outcome, Scenario, harm, no_harm
from chaos.suites import SCENARIOS

COLUMNS = ("messages", "lost", "doubled", "unsettled", "accepted", "hits", "seconds")
ROW = "{name:<40} " + " ".join(f"{{{column}:>9}}" for column in COLUMNS) + "  {verdict:<9} {detail}"


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios whose name begins with one of ``names``; all when none is given."""
    unknown = [name for name in names if not any(scenario.name.startswith(name) for scenario in SCENARIOS)]
    if unknown:
        known = "\n  ".join(scenario.name for scenario in SCENARIOS)
        sys.exit(f"No scenario is called {', '.join(unknown)}. There are:\n  {known}")
    return [scenario for scenario in SCENARIOS if not names or scenario.name.startswith(tuple(names))]


def outcome_of(scenario: Scenario, form: Form, how: Harm) -> Outcome:
    """The outcome of a scenario. An exception counts as nothing accepted and everything unsettled."""
    try:
        return scenario.run(form, how)
    except Exception as error:
        notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        return Outcome(0, 0, form.messages, 0, 0, f"stopped: {type(error).__name__}: {error}{notes}")


def outcomes(runs: Sequence[tuple[Scenario, Form]], how: Harm) -> Iterator[tuple[Scenario, Form, Outcome, float]]:
    """Run them one after the other; yields each with its seconds."""
    for scenario, form in runs:
        started = time.monotonic()
        outcome = outcome_of(scenario, form, how)
        yield scenario, form, outcome, round(time.monotonic() - started, 1)


def run(scenarios: Sequence[Scenario], short: bool, report: Path) -> bool:
    """Run them; print a row and write the report after each. Returns whether all held."""
    rows: list[dict[str, object]] = []
    _print_headings()
    report.parent.mkdir(parents=True, exist_ok=True)
    runs = [(scenario, scenario.short if short else scenario.full) for scenario in scenarios]
    for scenario, form, outcome, seconds in outcomes(runs, harm):
        held = outcome.held(form)
        _print_row(scenario, form, outcome, seconds, _verdict(outcome, form))
        counts = {name: value for name, value in asdict(outcome).items() if name != "detail"}
        about = {"least_hits": form.least_hits, "held": held, "seconds": seconds}
        rows.append({"name": scenario.name, "messages": form.messages, **counts, **about})
        report.write_text(json.dumps({"scenarios": rows}, indent=2) + "\n")
    held = all(row["held"] for row in rows)
    print("All promises held." if held else "Not every promise held under its fault: see the rows that are not ok.")
    return held


def run_inert(scenarios: Sequence[Scenario]) -> bool:
    """Run them without their faults. Returns whether each missed its hits and held otherwise."""
    noticed = True
    _print_headings()
    for scenario, form, outcome, seconds in outcomes([(scenario, scenario.inert) for scenario in scenarios], no_harm):
        red = outcome.kept(form) and not outcome.hit(form)
        noticed = noticed and red
        _print_row(scenario, form, outcome, seconds, "noticed" if red else "BLIND" if outcome.hit(form) else "BROKEN")
    print("Every scenario noticed that its fault did not hit." if noticed else "A scenario does not prove its fault.")
    return noticed


def _verdict(outcome: Outcome, form: Form) -> str:
    if not outcome.kept(form):
        return "BROKEN"
    return "ok" if outcome.hit(form) else f"NO FAULT: {form.least_hits} hits needed"


def _print_headings() -> None:
    names = {name: name for name in ("name", *COLUMNS, "detail")}
    print(ROW.format(**names, verdict=""))


def _print_row(scenario: Scenario, form: Form, outcome: Outcome, seconds: float, verdict: str) -> None:
    row = {**asdict(outcome), "name": scenario.name, "messages": form.messages, "seconds": seconds, "verdict": verdict}
    print(ROW.format(**row), flush=True)


def main() -> int:
    """Run what the command line names; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Fault scenarios with real processes")
    parser.add_argument("names", nargs="*", help="names of scenarios, or how they begin; all when none is given")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="fewer messages, as in CI")
    size.add_argument("--inert", action="store_true", help="without the faults: each scenario has to notice")
    options = parser.parse_args()
    scenarios = chosen(options.names)
    # SIGTERM unwinds like Ctrl-C, so it leaves no process behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    if options.inert:
        return 0 if run_inert(scenarios) else 1
    # The report of a whole run stays until the next one.
    name = "chaos-part.json" if options.names or options.short else "chaos.json"
    report = Path(os.environ.get("VAR_DIR", "var")) / name
    return 0 if run(scenarios, options.short, report) else 1


if __name__ == "__main__":
    sys.exit(main())
