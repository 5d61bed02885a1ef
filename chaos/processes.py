"""Processes of the pipeline: started with the commands of the Procfile, killed and stopped by their id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from chaos.guard import Guard

CHECKOUT = Path(__file__).resolve().parents[1]
READY_S = 60.0
STOP_S = 40.0


class NotReady(Exception):
    """A process did not come up, or a condition did not come true."""


def wait_until(condition: Callable[[], bool], what: str, timeout: float = READY_S, every: float = 0.05) -> None:
    """Raises NotReady when it does not become true within `timeout` seconds."""
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            raise NotReady(f"{what}: not within {timeout:.0f} s")
        time.sleep(every)


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A port of 127.0.0.1 for each name, all different, that nothing listens on now."""
    probes = {name: socket.socket() for name in names}
    for probe in probes.values():
        probe.bind(("127.0.0.1", 0))
    ports = {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
    for probe in probes.values():
        probe.close()
    return ports


class Process:
    """One process, with its children in a group of its own. `ready` looks at what it wrote since its start."""

    def __init__(
        self, command: str, env: Mapping[str, str], log: Path, guard: Guard, ready: Callable[[str], bool]
    ) -> None:
        self.name = log.stem
        self._command, self._env, self._log, self._guard, self._ready = command, dict(env), log, guard, ready
        self._written = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting for it."""
        self._written = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", f"exec {self._command}"],
                env=self._env, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._guard.watch(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id. Raises NotReady when it does not run."""
        if self._process is None:
            raise NotReady(f"{self.name} does not run")
        return self._process.pid

    def wait_ready(self) -> None:
        """Until it does its work. Raises NotReady, also when it ended."""

        def ready() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise NotReady(f"{self.name} ended: {self._new_text()[-500:]}")
            return self._ready(self._new_text())

        wait_until(ready, f"{self.name} is ready")

    def kill(self) -> None:
        """kill -9, it and its children."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._over()

    def is_alive(self) -> bool:
        """Whether it was started and runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> bool:
        """SIGTERM, and kill -9 when it takes too long; whether it ended by itself, and well."""
        if self._process is None:
            return False
        self._process.terminate()
        try:
            status = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._over()
        return status == 0

    def _over(self) -> None:
        assert self._process
        self._process.wait()
        self._guard.forget(self._process.pid)
        self._process = None

    def _new_text(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._written)
            return log.read().decode(errors="replace")
