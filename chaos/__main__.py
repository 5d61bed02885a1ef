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


def row(scenario: Scenario, messages: int) -> tuple[Outcome, dict[str, object]]:
    started = time.monotonic()
    outcome = scenario.run(messages)
    seconds = round(time.monotonic() - started, 1)
    return outcome, {"name": scenario.name, "messages": messages, **asdict(outcome), "seconds": seconds}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Fault scenarios with real processes")
    parser.add_argument("names", nargs="*", help="names of scenarios, or how they begin; all when none is given")
    parser.add_argument("--short", action="store_true", help="fewer messages, as in CI")
    options = parser.parse_args()
    print(ROW.format(**HEADINGS))
    rows, held = [], True
    for scenario in chosen(options.names):
        outcome, found = row(scenario, scenario.short if options.short else scenario.messages)
        print(ROW.format(**found), flush=True)
        held = held and outcome.held
        rows.append({name: value for name, value in found.items() if name != "detail"})
    report = Path(os.environ.get("VAR_DIR", "var")) / "chaos.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({"scenarios": rows}, indent=2) + "\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
