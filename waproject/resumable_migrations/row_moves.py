"""Moves many rows in small transactions while the pipeline runs, and shows the progress."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30
TERMINAL_S, ELSEWHERE_S = 0.2, 10.0
# Rows that a lane has locked are tried again after this pause.
LOCKED_S = 0.2


def move_rows(
    name: str,
    count: Callable[[], int],
    move: Callable[[], int],
    output: TextIO | None = None,
) -> int:
    """Call `move` until `count` says that nothing is left; returns how many rows moved.

    `move` moves a batch in a transaction of its own, skips locked rows, and returns how many it
    moved. What was moved before a kill is no longer counted, so the next run goes on. Nothing is shown for no rows.
    """
    output = output or sys.stdout
    interval = TERMINAL_S if output.isatty() else ELSEWHERE_S
    done, left, shown = 0, count(), time.monotonic()
    while left > 0:
        moved = move()
        done, left = done + moved, left - moved
        if not moved:
            time.sleep(LOCKED_S)
        if not moved or left <= 0:
            left = count()
        if time.monotonic() - shown >= interval or not left:
            shown = time.monotonic()
            _show(output, name, done, done + left)
    return done


def _show(output: TextIO, name: str, done: int, total: int) -> None:
    filled = WIDTH * done // max(1, total)
    line = f"  {name} [{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {total:,}"
    output.write(f"\r{line}" if output.isatty() else f"\n{line}")
    output.flush()
