"""Real processes of the project, started by a test and ended with it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def eventually(condition: Callable[[], object], timeout: float = 20, every: float = 0.1) -> bool:
    """Whether the condition came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


class Worker:
    """`celery -A waproject worker -Q <lane>`, as a user starts it."""

    def __init__(self, lane: str, log: Path, **environment: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "waproject", "worker", "-Q", lane],
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

    def wait_ready(self) -> "Worker":
        """Return once it takes tasks; an AssertionError with its log when it does not."""
        assert eventually(lambda: " ready." in self.log, 30), self.log
        return self

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to the whole group when that takes more than 15 s."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
