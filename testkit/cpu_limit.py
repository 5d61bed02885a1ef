"""A CPU limit on a process with its children, as a task of 0.25 vCPU has one, without cgroups or root.

As the kernel's CPU bandwidth control does, it stops the processes once they have used their share, and continues them
when time has earned them the next part: SIGSTOP and SIGCONT stand in for the scheduler. It is the stricter one: all
threads stop, also those that wait.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]

LOOK_EVERY_S = 0.01
# How much may be saved up: one period of the kernel's.
BURST_S = 0.1
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class CpuLimit:
    """`with CpuLimit(pid, 0.25) as limit:` `peak_bytes`: the most memory that all had at once; `cpu_s`: what they used.

    `stopped_s`: for how long they were stopped.
    """

    def __init__(self, pid: int, share: float) -> None:
        root = psutil.Process(pid)
        self._pids = [root.pid, *(child.pid for child in root.children(recursive=True))]
        self._share = share
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cpu-limit")
        self.peak_bytes = 0
        self.cpu_s = self.stopped_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        begin, before = time.monotonic(), self._used()
        stopped_at: float | None = None
        forgiven, looks = 0.0, 0
        try:
            while not self._end.wait(LOOK_EVERY_S):
                now = time.monotonic()
                self.cpu_s = self._used() - before
                allowed = (now - begin) * self._share - forgiven
                # What was not used is lost beyond a period's worth.
                forgiven += max(0.0, allowed - self.cpu_s - BURST_S * self._share)
                if self.cpu_s > allowed and stopped_at is None:
                    self._send(signal.SIGSTOP)
                    stopped_at = now
                elif self.cpu_s <= allowed and stopped_at is not None:
                    self._send(signal.SIGCONT)
                    self.stopped_s += now - stopped_at
                    stopped_at = None
                looks += 1
                if looks % 10 == 0:
                    self.peak_bytes = max(self.peak_bytes, self._memory())
        finally:
            self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _used(self) -> float:
        return sum(_ticks(pid) for pid in self._pids) / TICKS_PER_S

    def _memory(self) -> int:
        total = 0
        for pid in self._pids:
            with suppress(psutil.Error):
                total += psutil.Process(pid).memory_info().rss
        return total


def _ticks(pid: int) -> int:
    """CPU of a process in clock ticks: utime and stime of /proc/<pid>/stat."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0
