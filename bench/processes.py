"""Processes that are measured: started, watched by the operating system's accounting, ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

CHECKOUT = Path(__file__).resolve().parents[1]
VAR = Path(os.environ.get("VAR_DIR", "var")) / "bench"
START_S = 60


class BenchError(Exception):
    """A measurement that cannot go on, in words for whoever started it."""


class Measured:
    """A process with its children; `env` is all that it gets of an environment."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        VAR.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = VAR / f"{name}.log"
        self._output = self.log.open("wb")
        self._process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_for(self, words: str, times: int = 1) -> "Measured":
        """Until its log has these words. Raises BenchError when it does not come to that."""
        return self.wait_until(lambda: self.log.read_text(errors="replace").count(words) >= times, repr(words))

    def wait_until(self, condition: Callable[[], bool], what: str) -> "Measured":
        """Until a condition holds. Raises BenchError with the end of its log when it ends, or START_S pass."""
        if not eventually(lambda: condition() or self.is_over(), START_S) or self.is_over():
            end = self.log.read_text(errors="replace")[-2000:]
            raise BenchError(f"{self.name} did not come to {what}; the end of {self.log}:\n{end}")
        return self

    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def cpu_s(self) -> float:
        """CPU seconds, user and system, of the process and its children until now, of ended children too."""
        if self.is_over():
            raise BenchError(f"{self.name} ended while it was measured: see {self.log}")
        root = psutil.Process(self._process.pid)
        total = 0.0
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def stop(self) -> None:
        """End it with all its children, at once: what is measured is over, and a long poll may take 20 s to end."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def __enter__(self) -> "Measured":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def callers() -> dict[str, str]:
    """Of the caller's environment what finds programs and files: other settings would change what is measured."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def eventually(condition: Callable[[], bool], timeout: float, every: float = 0.05) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True


def python(*arguments: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]
