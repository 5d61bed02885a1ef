"""Processes that are measured: started, watched by the operating system's accounting, ended."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]

VAR = Path(os.environ.get("VAR_DIR", "var")) / "bench"
START_S = 60
STOP_S = 40


class Measured:
    """A process with its children; `env` is added to ours."""

    def __init__(self, name: str, command: list[str], env: dict[str, str]) -> None:
        VAR.mkdir(parents=True, exist_ok=True)
        self.log = VAR / f"{name}.log"
        self._output = self.log.open("wb")
        self._process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True
        )

    def wait_for(self, words: str, times: int = 1) -> "Measured":
        """Until its log has these words. Raises RuntimeError when it does not come to that."""
        if not eventually(lambda: self.log.read_text(errors="replace").count(words) >= times, START_S):
            raise RuntimeError(f"{self.log}: no {words!r}:\n{self.log.read_text(errors='replace')[-2000:]}")
        return self

    def cpu_s(self) -> float:
        """CPU seconds, user and system, of the process and its children until now."""
        tree = psutil.Process(self._process.pid)
        times = [process.cpu_times() for process in (tree, *tree.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))

    def stop(self) -> None:
        """SIGTERM, and wait; SIGKILL when that does not end it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def __enter__(self) -> "Measured":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


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
