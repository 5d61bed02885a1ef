"""The process that all runs of tests are forked from: two servers, a template database, everything imported."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from mutation.plugin import VARIABLE, Plugin
from testkit.guard import Guard

PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.02
UNFIT = 71
TEMPLATE, CLONE = "test_template", "test_waproject"


@dataclass(frozen=True)
class Verdict:
    """How a run ended (`passed`, `failed`, `timeout`, `unfit`), the first test that failed, and its seconds."""

    end: str
    test: str
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether anything failed."""
        return self.end in ("failed", "timeout")


class Host:
    """Runs tests in forked or new processes. Not more than one run at a time; nothing of a run outlives it."""

    def __init__(self, servers: Sequence[Any], var: Path, guard: Guard) -> None:
        self._servers, self._var, self._guard = servers, var, guard
        self._database = servers[0].url

    def forked(
        self,
        order: list[str] | None,
        files: Sequence[str],
        longest_s: float,
        before: Callable[[], bool],
        *,
        stop_at_first: bool = True,
        more: Sequence[object] = (),
    ) -> Verdict:
        """Run tests in a fork of this process, with `more` plugins, after `before` has run there.

        The verdict is "unfit" where `before` says that a fork cannot try this.
        """

        def child(plugin: Plugin) -> int:
            if not before():
                return UNFIT
            arguments = ["-q", "-p", "no:cacheprovider", *(["-x"] if stop_at_first else []), *files]
            return int(pytest.main(arguments, plugins=[plugin, *more]))

        with self._clone() as scratch:
            result = scratch / "failed"
            pid = os.fork()
            if pid == 0:
                self._be_child(scratch, lambda: child(Plugin(CLONE, result, order)))
            return self._wait(pid, result, longest_s)

    def fresh(self, order: list[str] | None, files: Sequence[str], longest_s: float) -> Verdict:
        """Run tests in a new process, which imports the changed file."""
        with self._clone() as scratch:
            result = scratch / "failed"
            names = ("DATABASE_URL", "AWS_ENDPOINT_URL_SQS", *(name for name in os.environ if name.startswith("SQS_")))
            run = {
                "environment": {name: os.environ[name] for name in names},
                "database": CLONE,
                "result": str(result),
                "order": order,
            }
            described = scratch / "run.json"
            described.write_text(json.dumps(run))
            arguments = ["-m", "pytest", "-p", "mutation.plugin", "-x", "-q", "-p", "no:cacheprovider", *files]
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, VARIABLE: str(described), "TMPDIR": str(scratch)},
                stdin=subprocess.DEVNULL,
                stdout=(scratch / "output").open("wb"),
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            return self._wait(process.pid, result, longest_s)

    def _be_child(self, scratch: Path, work: Callable[[], int]) -> None:
        code = 70
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            output = os.open(scratch / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for descriptor in (1, 2):
                os.dup2(output, descriptor)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            tempfile.tempdir = str(scratch)
            code = work()
            sys.stdout.flush()
        finally:
            os._exit(code)

    def _wait(self, pid: int, result: Path, longest_s: float) -> Verdict:
        self._guard.watch(pid)
        began = time.monotonic()
        code: int | None = None
        try:
            while code is None and time.monotonic() - began < longest_s:
                time.sleep(POLL_S)
                ended, status = os.waitpid(pid, os.WNOHANG)
                code = os.waitstatus_to_exitcode(status) if ended else None
        finally:
            self._end_descendants()
            self._guard.forget(pid)
        seconds = round(time.monotonic() - began, 2)
        shutil.copyfile(result.with_name("output"), self._var / "last-run.log")
        test = result.read_text() if result.exists() else ""
        if code is None:
            return Verdict("timeout", test, seconds)
        if code == UNFIT:
            return Verdict("unfit", "", seconds)
        return Verdict("passed" if code in (0, 5) else "failed", test, seconds)

    def _end_descendants(self) -> None:
        """Kill what the run started, also what left its group: this process is the reaper of all its orphans."""
        kept = {server.pid for server in self._servers} | {self._guard.pid}
        doomed: list[psutil.Process] = []
        for child in psutil.Process().children():
            if child.pid not in kept:
                with suppress(psutil.NoSuchProcess):
                    doomed += [child, *child.children(recursive=True)]
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        with suppress(ChildProcessError):
            while doomed and os.waitpid(-1, os.WNOHANG)[0]:
                pass
        psutil.wait_procs(doomed, 5)

    @contextmanager
    def _clone(self) -> Iterator[Path]:
        """A copy of the database, and an own directory for temporary files."""
        import psycopg2

        connection = psycopg2.connect(self._database, dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {CLONE} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {CLONE} TEMPLATE {TEMPLATE}")
        connection.close()
        scratch = Path(tempfile.mkdtemp(prefix="mutation-"))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def host(files: Sequence[str], var: Path) -> Iterator[Host]:
    """Servers started, `files` of tests and the product imported; everything ended at the end."""
    from deploy.local.postgres import SETTINGS, Postgres
    from deploy.local.sqs import Sqs
    from tests import environment

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    guard = Guard()
    forgetful = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    # Not in VAR_DIR, which each run of pytest deletes at its end.
    directory = Path(tempfile.mkdtemp(prefix="mutation-servers-"))
    address = os.environ["DATABASE_URL"].rsplit(":", 1)[1].partition("/")[0]
    postgres = Postgres(
        directory / "postgres", int(address), environment.DATABASE_PASSWORD, settings=SETTINGS | forgetful
    )
    sqs = Sqs(directory / "sqs", int(os.environ["AWS_ENDPOINT_URL_SQS"].rsplit(":", 1)[1]))
    try:
        for server in (postgres, sqs):
            server.start()
            guard.watch(server.pid or 0)
        _import(files, var)
        _make_template()
        yield Host((postgres, sqs), var, guard)
    finally:
        for server in (sqs, postgres):
            server.stop()
        guard.end()
        shutil.rmtree(directory, ignore_errors=True)


def _import(files: Sequence[str], var: Path) -> None:
    with (var / "import.log").open("w") as log:
        kept = os.dup(1)
        os.dup2(log.fileno(), 1)
        try:
            code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *files])
            sys.stdout.flush()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
    if code:
        raise SystemExit(f"the tests cannot be imported: {var / 'import.log'}")


def _make_template() -> None:
    from django.core.management import call_command
    from django.db import connection, connections
    from django.test.utils import setup_databases

    connection.settings_dict["TEST"]["NAME"] = TEMPLATE
    setup_databases(verbosity=0, interactive=False)
    call_command("create_queues", verbosity=0)
    connections.close_all()
