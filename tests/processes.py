"""Real processes of the project, started by a test and ended with it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

CHECKOUT = Path(__file__).resolve().parents[1]


def eventually(condition: Callable[[], object], timeout: float = 20, every: float = 0.1) -> bool:
    """Whether the condition came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


class Process:
    """`python <arguments>` in the checkout, with this word in its log once it works."""

    def __init__(self, arguments: Sequence[str], ready: str, log: Path, **environment: str) -> None:
        self._log, self._ready = log, ready
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **environment},
                cwd=CHECKOUT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """All that it wrote."""
        return self._log.read_text(errors="replace")

    def wait_ready(self) -> Self:
        """Return once it works; an AssertionError with its log when it does not."""
        assert eventually(lambda: self._ready in self.log, 30), self.log
        return self

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a host that runs out of memory does."""
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to the whole group when that takes more than 15 s."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()


class Worker(Process):
    """`celery -A waproject worker -Q <lane>`, as a user starts it, with short long polls: it stops after one."""

    def __init__(self, lane: str, log: Path, **environment: str) -> None:
        arguments = ["-m", "celery", "-A", "waproject", "worker", "-Q", lane]
        super().__init__(arguments, " ready.", log, SQS_WAIT_TIME_S="1", **environment)
