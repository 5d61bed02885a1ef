"""``python -m chaos [--short] [name or beginning of one ...]``: run fault scenarios, and fail if a promise broke.

Prints a table and writes ``chaos.json`` into $VAR_DIR (default var):
``{"scenarios": [{"name", "messages", "lost", "doubled", "unsettled", "seconds"}]}``.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from chaos.scenario import Outcome, Scenario
from chaos.suites import SCENARIOS

ROW = "{name:<40} {messages:>8} {lost:>6} {doubled:>8} {unsettled:>10} {seconds:>8}  {detail}"
HEADINGS = {name: name for name in ("name", "messages", "lost", "doubled", "unsettled", "seconds", "detail")}


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios whose name begins with one of ``names``; all when none is given."""
    unknown = [name for name in names if not any(scenario.name.startswith(name) for scenario in SCENARIOS)]
    if unknown:
        known = "\n  ".join(scenario.name for scenario in SCENARIOS)
        sys.exit(f"No scenario is called {', '.join(unknown)}. There are:\n  {known}")
    return [scenario for scenario in SCENARIOS if not names or scenario.name.startswith(tuple(names))]


def outcome_of(scenario: Scenario, messages: int) -> Outcome:
    """What a scenario found. One that cannot go on has settled nothing, and the next ones run all the same."""
    try:
        return scenario.run(messages)
    except Exception as error:
        notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        return Outcome(0, 0, messages, f"stopped: {type(error).__name__}: {error}{notes}")


def run(scenarios: list[Scenario], short: bool, report: Path) -> bool:
    """Run them, print a row for each and write the report, also of a run that is broken off; whether all held."""
    held = True
    rows: list[dict[str, object]] = []
    print(ROW.format(**HEADINGS))
    report.parent.mkdir(parents=True, exist_ok=True)
    for scenario in scenarios:
        messages = scenario.short if short else scenario.messages
        started = time.monotonic()
        outcome = outcome_of(scenario, messages)
        counts = asdict(outcome)
        detail = counts.pop("detail")
        seconds = round(time.monotonic() - started, 1)
        rows.append({"name": scenario.name, "messages": messages, **counts, "seconds": seconds})
        print(ROW.format(**rows[-1], detail=detail), flush=True)
        report.write_text(json.dumps({"scenarios": rows}, indent=2) + "\n")
        held = held and outcome.held
    print("All promises held." if held else "A promise broke: each of lost, doubled and unsettled must be 0.")
    return held


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Fault scenarios with real processes")
    parser.add_argument("names", nargs="*", help="names of scenarios, or how they begin; all when none is given")
    parser.add_argument("--short", action="store_true", help="fewer messages, as in CI")
    options = parser.parse_args()
    report = Path(os.environ.get("VAR_DIR", "var")) / "chaos.json"
    return 0 if run(chosen(options.names), options.short, report) else 1


if __name__ == "__main__":
    sys.exit(main())
