"""Waits until all programs are ready; names the one that is not, with the last line of its log."""

import http.client
import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from deploy.local import LocalError
from deploy.local.ports import is_open
from deploy.local.programs import Program, log_file
from deploy.local.server import last_line
from deploy.local.supervisor import Supervisor

Check = Callable[[], bool]
STARTS_BEFORE_GIVING_UP = 3
# A worker whose log level hides "ready." counts as ready after this time.
QUIET_WORKER_SECONDS = 20.0
REPORTED_EVERY_S = 20.0


class Readiness:
    """The readiness checks of a run. Ignores what earlier runs wrote to the logs."""

    def __init__(self, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        self._supervisor = supervisor
        self._say = say
        self._offsets = {path: path.stat().st_size for path in supervisor.log_dir.glob("*.log")}

    def wait(self, checks: Mapping[str, Check], timeout: float) -> None:
        """Wait until each process's check holds. Raises LocalError if one exits repeatedly, or after `timeout` s."""
        waiting = dict(checks)
        starts: dict[str, set[int]] = {}
        deadline = time.monotonic() + timeout
        report_at = time.monotonic() + REPORTED_EVERY_S
        while waiting:
            self._refuse_dying(starts)
            waiting = {name: check for name, check in waiting.items() if not check()}
            if waiting and time.monotonic() > deadline:
                name = next(iter(waiting))
                raise LocalError(f"{name} did not come up within {timeout:.0f} s: {self.last_log_line(name)}")
            if waiting and time.monotonic() > report_at:
                report_at += REPORTED_EVERY_S
                self._say(f"waiting for {', '.join(waiting)}")
            time.sleep(0.1)

    def checks(self, programs: Iterable[Program], extra: Mapping[str, Check]) -> dict[str, Check]:
        """Each process's check: its entry in `extra`, a worker's "ready." line, or else that it runs."""
        checks: dict[str, Check] = {}
        for program in programs:
            for name in program.names():
                default = self._worker_is_ready if program.is_worker else self._runs
                checks[name] = extra.get(name) or partial(default, name)
        return checks

    def last_log_line(self, name: str) -> str:
        """The last line of a process's log, and the log's path."""
        path = log_file(self._supervisor.log_dir, name)
        return f"{last_line(path, self._offsets.get(path, 0))} (see {os.path.relpath(path)})"

    def _refuse_dying(self, starts: dict[str, set[int]]) -> None:
        if self._supervisor.ended():
            raise LocalError("supervisord ended while the programs were started: see supervisord.log.")
        for name, info in self._supervisor.processes().items():
            pids = starts.setdefault(name, set())
            pids.add(int(info["pid"]))
            if len(pids - {0}) >= STARTS_BEFORE_GIVING_UP:
                raise LocalError(f"{name} exits repeatedly: {self.last_log_line(name)}")

    def _runs(self, name: str) -> bool:
        return bool(self._supervisor.processes()[name]["statename"] == "RUNNING")

    def _worker_is_ready(self, name: str) -> bool:
        info = self._supervisor.processes()[name]
        if info["statename"] != "RUNNING":
            return False
        path = log_file(self._supervisor.log_dir, name)
        return _says(path, b"ready.", self._offsets.get(path, 0)) or info["now"] - info["start"] > QUIET_WORKER_SECONDS


def answers(port: int, path: str) -> Check:
    """A check that a GET on 127.0.0.1:port is answered 200."""

    def check() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check


def listens(port: int) -> Check:
    """A check that something accepts connections on 127.0.0.1:port."""
    return lambda: is_open(port)


def _says(path: Path, marker: bytes, offset: int) -> bool:
    try:
        with path.open("rb") as file:
            # A log that has become shorter was rotated.
            file.seek(offset if offset <= path.stat().st_size else 0)
            return marker in file.read()
    except OSError:
        return False
