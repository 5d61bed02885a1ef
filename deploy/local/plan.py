"""The plan of a local run: its directories, ports, environment and programs, checked before anything starts."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import LocalError, announce, credentials, environment, ports, procfile, programs
from deploy.local.programs import Program

# The part that uses a port.
USERS = {"SQS_PORT": "sqs", "POSTGRES_PORT": "postgres"}


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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LocalError(already_running(holder(var))) from None
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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            text = lock.read().strip()
            return int(text) if text.isdigit() else None
    return None
