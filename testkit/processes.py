"""Processes of one run: started in a group of their own, measured, stopped and killed by their id."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]

from testkit.guard import Guard
from testkit.waiting import NotReady, wait_until

CHECKOUT = Path(__file__).resolve().parents[1]
READY_S = 180.0
# Variables that locate programs and files. Others of the caller's, such as DATABASE_URL, would change what a run tests.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
SHOWN_CHARACTERS = 2000


def inherited_environment() -> dict[str, str]:
    """The few variables of the caller that the processes of a run inherit."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def shell(command: str) -> list[str]:
    """A shell command, such as a line of the Procfile; `exec` replaces the shell process."""
    return ["/bin/sh", "-c", f"exec {command}"]


def python(*arguments: str) -> list[str]:
    """A command of the running interpreter."""
    return [sys.executable, *arguments]


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a process and its descendants, ended and reaped ones included."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class Process:
    """One process with its children in a process group of its own.

    env: its whole environment. ready: gets the log since the last start. guard: kills the group if the run dies.
    """

    stop_s = 40.0
    # Starts a process; the tests fork a warm interpreter.
    start_process: "Callable[..., subprocess.Popen[bytes]]" = subprocess.Popen

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        ready: Callable[[str], bool] = lambda _: True,
        guard: Guard | None = None,
    ) -> None:
        self.name, self.log_path = log.stem, log
        self._command, self._env, self._ready, self._guard = list(command), dict(env), ready, guard
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def popen(self) -> "subprocess.Popen[bytes]":
        """The process of the last start. Raises NotReady before the first one."""
        if self._process is None:
            raise NotReady(f"{self.name} was not started")
        return self._process

    @property
    def pid(self) -> int:
        """The process id of the last start. Raises NotReady before the first one."""
        return self.popen.pid

    def start(self) -> None:
        """Start it without waiting for it."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._process = type(self).start_process(
                self._command, env=self._env, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        if self._guard:
            self._guard.watch(self._process.pid)

    def wait_ready(self) -> Self:
        """Wait until it is ready. Raises NotReady, with the end of its log, after 3 minutes or once it has ended."""
        wait_until(lambda: not self.is_alive() or self._ready(self.text()), f"{self.name} is ready", READY_S)
        if not self.is_alive():
            raise NotReady(f"{self.name} ended: {self.text()[-SHOWN_CHARACTERS:]}")
        return self

    def is_alive(self) -> bool:
        """Whether it was started and still runs."""
        return self._process is not None and self._process.poll() is None

    def text(self) -> str:
        """Its output since the last start."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def cpu_s(self) -> float:
        """CPU seconds until now of the process and its children. Raises NotReady once it has ended."""
        if not self.is_alive():
            raise NotReady(f"{self.name} ended during the measurement: see {self.log_path}")
        return cpu_s(self.pid)

    def kill(self) -> None:
        """Send SIGKILL to it and its children."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._ended()

    def stop(self) -> bool:
        """Send SIGTERM, and SIGKILL after `stop_s` seconds; whether it ended with status 0 in time."""
        if self._process is None:
            return False
        self._process.terminate()
        try:
            status = self._process.wait(self.stop_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._ended()
        return status == 0

    def _ended(self) -> None:
        self.popen.wait()
        if self._guard:
            self._guard.forget(self.pid)
