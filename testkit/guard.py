"""A watchdog process: kills the process groups of a run if the run itself dies, by a crash or kill -9.

It reads lines "+<pid>" and "-<pid>". At the end of its input, or after `LONGEST_S`, it kills the groups that are left.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import IO

LONGEST_S = 2 * 3600.0


class Guard:
    """The watchdog of this process; it starts with the object and outlives this process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id of the guard."""
        return self._process.pid

    def watch(self, pid: int) -> None:
        """Kill this process group once this process has ended."""
        self._write(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        """Stop watching this process group: it has ended."""
        self._write(f"-{pid}\n")

    def end(self) -> None:
        """Kill the remaining groups and end the watchdog."""
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait(10)

    def _write(self, line: str) -> None:
        assert self._process.stdin
        with suppress(OSError):  # it reached LONGEST_S and has killed everything
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def listen(source: IO[bytes], seconds: float) -> set[int]:
    """The watched process groups at the end of the input or after `seconds`."""
    until = time.monotonic() + seconds
    os.set_blocking(source.fileno(), False)
    pids: set[int] = set()
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            if not selector.select(left):
                break
            if not (chunk := os.read(source.fileno(), 4096)):
                break
            *lines, text = (text + chunk).split(b"\n")
            for line in lines:
                (pids.add if line.startswith(b"+") else pids.discard)(int(line[1:]))
    return pids


def main() -> None:
    """Run the watchdog."""
    for left_over in listen(sys.stdin.buffer, LONGEST_S):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(left_over, signal.SIGKILL)


if __name__ == "__main__":
    main()
