"""The plan of a local run: its directories, ports, environment and programs, checked before anything starts."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from deploy.local import LocalError, announce, credentials, environment, ports, procfile, programs
from deploy.local.programs import Program

# The part that uses a port.
USERS = {"SQS_PORT": "sqs", "POSTGRES_PORT": "postgres"}
# Who looks which run holds the lock has it for a moment; and a run that has just begun has not written its pid yet.
LOOKED_AT_S = 2.0


@dataclass(frozen=True)
class Plan:
    """One run. `ports` has only those that this run opens."""

    checkout: Path
    var: Path
    ports: dict[str, int]
    env: dict[str, str]
    parts: list[Program]
    app: list[Program]

    @classmethod
    def read(cls, caller: Mapping[str, str], checkout: Path) -> "Plan":
        """Read the caller's variables and the Procfile; make VAR_DIR and the secrets."""
        var = (checkout / (caller.get("VAR_DIR") or "var")).resolve()
        caller = announce.without_published(caller, var)
        all_ports = ports.read_ports(caller)
        parts = programs.parts(caller)
        app = programs.app(procfile.read(checkout / "Procfile"), caller)
        environment.refuse_remote(caller)
        try:
            var.mkdir(parents=True, exist_ok=True)
            secrets = credentials.load(var / "secrets.json")
        except OSError as error:
            raise LocalError(f"{var} cannot be written ({error.strerror}): set VAR_DIR to another directory.") from None
        env = environment.build(caller, secrets, all_ports, var)
        started = {part.name for part in parts}
        opened = {name: port for name, port in all_ports.items() if USERS.get(name, "sandbox") in started}
        return cls(checkout, var, opened, env, parts, app)

    @property
    def env_file(self) -> Path:
        return self.var / "local.env"


@contextmanager
def run_lock(var: Path) -> Iterator[None]:
    """Lock VAR_DIR for this run. Raises LocalError with the process that holds the lock already."""
    with lock_file(var).open("a+") as lock:
        deadline = time.monotonic() + LOOKED_AT_S
        while not _locks(lock, fcntl.LOCK_EX):
            pid = holder(var)
            if pid is not None or time.monotonic() > deadline:
                raise LocalError(already_running(pid))
            time.sleep(0.02)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def already_running(pid: int | None) -> str:
    """The error for a second run in one VAR_DIR."""
    return f"The pipeline already runs here (pid {pid}): `make stop` ends it."


def lock_file(var: Path) -> Path:
    path = var / "run" / "lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def holder(var: Path) -> int | None:
    """The process that holds the lock, if any."""
    with lock_file(var).open("a+") as lock:
        # Shared: whoever else looks at this moment is no run.
        if _locks(lock, fcntl.LOCK_SH):
            return None
        lock.seek(0)
        text = lock.read().strip()
    return int(text) if text.isdigit() else None


def _locks(lock: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
