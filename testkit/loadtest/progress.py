"""A progress bar on a terminal; a line every ten seconds elsewhere."""

import asyncio
import time
from contextlib import suppress
from typing import TextIO

WIDTH = 30
TERMINAL_S, ELSEWHERE_S = 0.2, 10.0


class Progress:
    """Of `total` requests within `seconds`."""

    def __init__(self, output: TextIO, total: int, seconds: float) -> None:
        self._output, self._total, self._seconds = output, total, seconds
        self._terminal = output.isatty()
        self._begin = time.monotonic()
        self._answered = self._failed = 0

    def count(self, good: bool) -> None:
        """One more answer."""
        self._answered += 1
        self._failed += not good

    async def draw_until_cancelled(self) -> None:
        """Draw again and again."""
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(TERMINAL_S if self._terminal else ELSEWHERE_S)
                self._draw()

    def end(self) -> None:
        """Draw for the last time."""
        self._draw()
        if self._terminal:
            self._output.write("\n")

    def line(self) -> str:
        """Such as `[########······]  12/30 s  1,900 of 4,800 answered, 3 errors`."""
        done = WIDTH * self._answered // max(1, self._total)
        seconds = min(self._seconds, time.monotonic() - self._begin)
        return (
            f"[{'#' * done}{'·' * (WIDTH - done)}] {seconds:3.0f}/{self._seconds:.0f} s  "
            f"{self._answered:,} of {self._total:,} answered, {self._failed:,} errors"
        )

    def _draw(self) -> None:
        self._output.write(f"\r{self.line()}" if self._terminal else f"{self.line()}\n")
        self._output.flush()
