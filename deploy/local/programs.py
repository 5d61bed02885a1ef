"""The programs of a local run: the embedded parts, and every line of the Procfile."""

import re
import shlex
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import LocalError
from deploy.local.environment import LANES, embedded_parts

PARTS = {
    "postgres": ("deploy.local.postgres", signal.SIGINT),
    "sqs": ("deploy.local.sqs", signal.SIGTERM),
    "sandbox": ("messaging.sandbox", signal.SIGTERM),
}


@dataclass(frozen=True)
class Program:
    """One entry of the supervisor's configuration; `command` is a shell command."""

    name: str
    group: str
    command: str
    processes: int = 1
    stop_signal: signal.Signals = signal.SIGTERM

    def names(self) -> list[str]:
        """The name of each of its processes."""
        if self.processes == 1:
            return [self.name]
        return [f"{self.name}-{number}" for number in range(1, self.processes + 1)]

    @property
    def is_worker(self) -> bool:
        return self.name in LANES


def parts(env: Mapping[str, str]) -> list[Program]:
    """The local substitutes for production's servers; `env` is the caller's."""
    python = shlex.quote(sys.executable)
    return [Program(name, "parts", f"{python} -m {PARTS[name][0]}", 1, PARTS[name][1]) for name in embedded_parts(env)]


def app(commands: Mapping[str, str], env: Mapping[str, str]) -> list[Program]:
    """The Procfile's processes; {LANE}_WORKERS is the number of a lane's workers."""
    programs = []
    for name, command in commands.items():
        if name in PARTS:
            raise LocalError(f"The Procfile's process {name!r} has the name of a local part: rename it.")
        programs.append(Program(name, "app", command, _count(name, env)))
    return [program for program in programs if program.processes]


def log_file(log_dir: Path, name: str) -> Path:
    """The file with a process's output."""
    return log_dir / f"{name}.log"


def _count(name: str, env: Mapping[str, str]) -> int:
    if name not in LANES:
        return 1
    variable = f"{name.upper()}_WORKERS"
    text = env.get(variable) or "1"
    if not re.fullmatch("[0-9]{1,3}", text):
        raise LocalError(f"{variable}={text!r} is not a number of worker processes: use 0, 1, 2, …")
    return int(text)
