"""Python programs whose packages are imported already: each run is a fork, with an environment of its own.

A process that imports Django, Celery and boto3 anew takes three times as long. What is imported beforehand reads no
setting: the project's own modules, and those that read settings when they are imported, each run imports itself.
"""

import importlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

from tests.processes import CHECKOUT

PACKAGES = (
    "boto3",
    "botocore.session",
    "celery.app.base",
    "celery.schedules",
    "django.contrib.admin.checks",
    "django.contrib.auth.hashers",
    "django.core.handlers.wsgi",
    "django.core.management.commands.check",
    "django.core.serializers.json",
    "django.db.backends.postgresql.base",
    "django.forms",
    "django.views.generic",
    "kombu.transport.virtual",
    "requests",
    "rest_framework.fields",
    "structlog",
    "whitenoise.middleware",
)


class WarmPython:
    """Runs programs one after the other, from `with` on."""

    def __init__(self, directory: Path) -> None:
        self._output = directory / "stdout", directory / "stderr"

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_python"], cwd=CHECKOUT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._server.communicate()

    def run(self, *arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        """`python <arguments>` in the checkout, the first of which is a file; `env` is its whole environment."""
        assert self._server.stdin and self._server.stdout
        job = {"arguments": arguments, "env": dict(env), "output": [str(path) for path in self._output]}
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return subprocess.CompletedProcess(arguments, status, *(path.read_text() for path in self._output))


def serve() -> None:
    """Fork for each job of standard input, and write its exit status."""
    for name in PACKAGES:
        importlib.import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201 - the answer


def run(arguments: list[str], env: dict[str, Any], output: list[str]) -> NoReturn:
    """Become the program, and end with it."""
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate((os.devnull, *output)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
    sys.exit(0)


if __name__ == "__main__":
    serve()
