"""python -m mutation [--only PACKAGE …] [--sample N] [--seed N] [--seconds N] [--again]: see CONTRIBUTING.md."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
INSIDE = "MUTATION_VAR"


def main() -> int:
    """Copy the checkout and go there; there, run."""
    parser = argparse.ArgumentParser(prog="mutation")
    parser.add_argument("--only", nargs="*", default=[], help="packages, as messaging/outgoing; all of pyproject.toml")
    parser.add_argument("--sample", type=int, default=40, help="changes of each package; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="end after this long; the next run goes on")
    parser.add_argument("--again", action="store_true", help="judge once more what no test noticed")
    parser.add_argument("--near", action="store_true", help="a package's own tests only")
    parser.add_argument("--quick", action="store_true", help="only tests known to run the changed function")
    parser.add_argument("--by-hand", action="store_true", help="the changes of by_hand.toml instead of mutmut's")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        return _in_a_copy()
    return _run(options, Path(os.environ[INSIDE]))


def _in_a_copy() -> int:
    copy = CHECKOUT / "mutants"
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        source, target = CHECKOUT / name, copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (copy / ".venv").symlink_to(CHECKOUT / ".venv")
    var = CHECKOUT / "var" / "mutants"
    var.mkdir(parents=True, exist_ok=True)
    os.chdir(copy)
    os.environ[INSIDE] = str(var)
    os.execv(sys.executable, [sys.executable, "-m", "mutation", *sys.argv[1:]])  # noqa: S606


def _run(options: argparse.Namespace, var: Path) -> int:
    import tests.environment  # noqa: F401  before Django's settings are read
    from mutation.explained import explained
    from mutation.results import report
    from mutation.run import Options, run
    from mutation.run_by_hand import run_by_hand

    packages: dict[str, list[str]] = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["mutation"]["packages"]
    # What a test started ends with this process also when `timeout` or a person ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.by_hand:
        return 0 if run_by_hand(var) else 1
    until = time.monotonic() + options.seconds
    settings = Options(options.sample, options.seed, until, options.again, options.near, options.quick)
    chosen = {name: packages.get(name) or [f"tests/{name}"] for name in options.only or packages}
    try:
        done = run(chosen, settings, var)
    finally:
        (var / "report.md").write_text(report(var, explained()))
    sys.stdout.write((var / "report.md").read_text())
    return 0 if done else 75


if __name__ == "__main__":
    raise SystemExit(main())
