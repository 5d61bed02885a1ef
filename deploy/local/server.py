"""A server program that runs in the foreground: a supervisor runs its command, tests start and stop it directly."""

import signal
import subprocess
import time
from pathlib import Path

from deploy.local import LocalError


class Server:
    """One server on 127.0.0.1. A subclass defines its command, environment and readiness check."""

    name: str
    stop_signal = signal.SIGTERM
    env: dict[str, str]

    def __init__(self, log: Path) -> None:
        self.log_path = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server that `start` started."""
        return self._process.pid if self._process else None

    def prepare(self) -> None:
        """Create what must exist before the first start. Idempotent."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The server's command line: it stays in the foreground and ends on `stop_signal`."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether the server answers requests."""
        raise NotImplementedError

    def wait_ready(self, timeout: float = 30) -> None:
        """Wait until the server is ready. Raises LocalError after `timeout` seconds, or once it has ended."""
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self._process is not None and self._process.poll() is not None:
                raise LocalError(f"{self.name} ended while it started: {last_line(self.log_path)}")
            if time.monotonic() > deadline:
                raise LocalError(f"{self.name} did not come up within {timeout:.0f} s: {last_line(self.log_path)}")
            time.sleep(0.05)

    def start(self, timeout: float = 30) -> None:
        """Prepare, start and wait until it is ready."""
        self.prepare()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            # Its own session: a terminal's Ctrl-C reaches only the caller, which then stops the server.
            self._process = subprocess.Popen(
                self.command(), env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait_ready(timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 10) -> None:
        """Stop it with its stop signal, and with SIGKILL after `timeout` seconds."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def last_line(log: Path, offset: int = 0) -> str:
    """The last non-empty line of a log after `offset`, or a sentence that names the empty log."""
    try:
        with log.open("rb") as file:
            file.seek(offset if offset <= log.stat().st_size else 0)
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return lines[-1] if lines else f"it wrote nothing to {log}"
