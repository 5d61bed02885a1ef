"""Ends the processes of a local run whose supervisor has ended, and no others."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from deploy.local.environment import MARKER


def end_orphans(var: Path, known: Iterable[int] = (), timeout: float = 5) -> int:
    """Terminate, then kill, the processes of this VAR_DIR's run; returns their number.

    They are found by the marker in their environment (Linux). `known`: process ids that the supervisor reported last,
    for systems and containers where another user's environment cannot be read; 0, of a program that never ran, would
    mean our own process group.
    """
    left = found = {pid for pid in (*known, *_marked(var)) if pid > 0 and _lives(pid)}
    for stop_signal, wait_s in ((signal.SIGTERM, timeout), (signal.SIGKILL, 1.0)):
        for pid in left:
            _send(pid, stop_signal)
        deadline = time.monotonic() + wait_s
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = {pid for pid in left if _lives(pid)}
    return len(found)


def _marked(var: Path) -> set[int]:
    marker = f"{MARKER}={var}".encode()
    pids = set()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker in environ.read_bytes().split(b"\0"):
                pids.add(int(environ.parent.name))
        except OSError:
            continue  # it has ended, or may not be read
    return pids - {os.getpid()}


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return not Path("/proc/self").exists() and _send(pid, 0)
    return state != "Z"


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True
