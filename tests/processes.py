"""Processes of the project for one test: started at once, ended with it."""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import testkit.processes
from testkit.processes import CHECKOUT, python
from testkit.waiting import NotReady

__all__ = ["CHECKOUT", "Process", "Worker", "expanded"]


class Process(testkit.processes.Process):
    """`python <arguments>` in the checkout; `ready` is a word in its log that says that it works."""

    stop_s = 60.0

    def __init__(self, arguments: Sequence[str], ready: str, log: Path, **environment: str) -> None:
        super().__init__(python(*arguments), {**os.environ, **environment}, log, lambda text: ready in text)
        self.start()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process."""
        return self.popen

    @property
    def log(self) -> str:
        """Its output."""
        return self.text()

    def wait_ready(self) -> Self:
        """Return once it works; an AssertionError with its log otherwise."""
        try:
            return super().wait_ready()
        except NotReady as error:
            raise AssertionError(f"{error}\n{self.log}") from None


class Worker(Process):
    """`celery -A waproject worker -Q <lane>`, as a user starts it, with short long polls: it stops after one."""

    def __init__(self, lane: str, log: Path, **environment: str) -> None:
        arguments = ["-m", "celery", "-A", "waproject", "worker", "-Q", lane]
        super().__init__(arguments, " ready.", log, SQS_WAIT_TIME_S="1", **environment)


def expanded(command: str, env: dict[str, str]) -> list[str]:
    """A Procfile line's words, with its variables."""
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: env.get(found[1]) or found[2], command)
    return shlex.split(text)
