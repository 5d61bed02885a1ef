"""The whole pipeline as real processes, with the local parts, for scenarios to break."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from chaos.guard import Guard
from chaos.processes import CHECKOUT, NotReady, Process, free_ports, wait_until
from deploy.local import credentials, environment, procfile
from deploy.local.ports import is_open
from deploy.local.postgres import Postgres

PORTS = ("PORT", "SANDBOX_PORT", "SQS_PORT", "POSTGRES_PORT", "FLOWER_PORT")
# Nothing else of the caller's: a DATABASE_URL of his must never be what is broken here.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
# Seconds until a lost answer may be judged, ten minutes in production.
GRACE_S = 15.0
QUEUE_EMPTY_S = 20.0
# Everything that a scenario leaves behind, and the number as it was at first.
FORGET = """
TRUNCATE messaging_message, messaging_pairpace, messaging_orphanstatus, messaging_incomingmark,
  messaging_idempotencykey, messaging_hold CASCADE;
UPDATE messaging_businessnumber SET paused_at = NULL, pause_reason = '', throttled_until = NULL, throttles = 0,
  pace_share = 1, slowed_at = NULL, failures = 0, probe_at = NULL, probe_step = 0, tokens = 0, tokens_at = now();
"""


class Stack:
    """PostgreSQL, SQS, the sandbox, web, two dispatchers, outgoing workers, an incoming and perhaps an analytics one.

    `settings` are added to the environment of all processes.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, outgoing: int = 2, analytics: bool = False) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="chaos-sending-"))
        self.directory.chmod(0o755)  # PostgreSQL may run as another user
        ports = free_ports(PORTS)
        secrets = credentials.load(self.directory / "secrets.json")
        caller = {name: os.environ[name] for name in KEPT if name in os.environ}
        given = {"WA_UNKNOWN_GRACE": str(GRACE_S), "LOG_LEVEL": "INFO", **(settings or {})}
        self.env = environment.build({**caller, **given}, secrets, ports, self.directory)
        self._guard = Guard()
        self.postgres = Postgres(self.directory / "postgres", ports["POSTGRES_PORT"], secrets["POSTGRES_PASSWORD"])
        commands = procfile.read(CHECKOUT / "Procfile")
        python = sys.executable
        self.sqs = self._process(
            "sqs",
            f"{python} -m chaos.sending.sqs_server --port {ports['SQS_PORT']}",
            lambda _: is_open(ports["SQS_PORT"]),
        )
        self.sandbox = self._process(
            "sandbox", f"{python} -m messaging.sandbox", lambda _: is_open(ports["SANDBOX_PORT"])
        )
        self.web = self._process("web", commands["web"], lambda _: self._answers("/health/live"))
        self.dispatchers = [self._named("dispatcher", n, commands, "dispatcher is ready") for n in (1, 2)]
        self.outgoing = [self._named("outgoing", n, commands, " ready.") for n in range(1, outgoing + 1)]
        self.incoming = self._named("incoming", 1, commands, " ready.")
        self.analytics = [self._named("analytics", 1, commands, " ready.")] if analytics else []

    @property
    def app(self) -> list[Process]:
        """What the Procfile starts."""
        return [self.web, *self.dispatchers, *self.outgoing, self.incoming, *self.analytics]

    def start(self) -> None:
        """Start everything, and wait until it works. What was started is stopped when that fails."""
        try:
            self.start_postgres()
            for part in (self.sqs, self.sandbox):
                part.start()
            for part in (self.sqs, self.sandbox):
                part.wait_ready()
            self._prepare()
            for process in self.app:
                process.start()
            for process in self.app:
                process.wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self, keep: bool = False) -> None:
        """End everything, hard: nothing of it is needed any more. `keep`: the directory, with the logs."""
        for process in (*self.app, self.sandbox, self.sqs):
            process.kill()
        self.postgres.kill()
        self._guard.end()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def start_postgres(self) -> None:
        """Start PostgreSQL, also after it was killed."""
        self.postgres.start()
        self._guard.watch(self.postgres.pid or 0)

    def kill_postgres(self) -> None:
        """kill -9: no checkpoint, every connection broken."""
        pid = self.postgres.pid or 0
        self.postgres.kill()
        self._guard.forget(pid)

    def reset(self) -> None:
        """As new: no messages, no faults, the number at its pace. For a pipeline in which nothing is under way."""
        self.sandbox_call("POST", "reset")
        wait_until(self._no_status_waits, "the incoming queue is empty", QUEUE_EMPTY_S)
        # Also what a killed worker held, which would come back after its visibility timeout.
        self.sqs_control("forget")
        self.execute(FORGET)

    def query(self, statement: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, list(parameters) or None)
            return list(cursor.fetchall())

    def execute(self, statements: str, parameters: Iterable[object] = ()) -> None:
        """Change the database."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statements, list(parameters) or None)

    def sandbox_call(self, method: str, path: str, body: object = None) -> Any:
        """One of the sandbox's own endpoints."""
        return _call(method, f"{self.env['SANDBOX_URL']}/_sandbox/{path}", body)

    def sqs_control(self, path: str) -> Any:
        """One of the SQS server's own endpoints."""
        return _call("GET", f"{self.env['AWS_ENDPOINT_URL_SQS']}/_bench/{path}")

    def _connect(self) -> Any:
        connection = psycopg2.connect(self.postgres.url, connect_timeout=3, sslmode="disable")
        connection.autocommit = True
        return connection

    def _no_status_waits(self) -> bool:
        queues = self.sqs_control("counts")["queues"]
        return not any(counts["waiting"] for name, counts in queues.items() if name.endswith("-incoming"))

    def _process(self, name: str, command: str, ready: Callable[[str], bool], **env: str) -> Process:
        return Process(command, {**self.env, **env}, self.directory / f"{name}.log", self._guard, ready)

    def _named(self, name: str, number: int, commands: Mapping[str, str], words: str) -> Process:
        worker = f"{name}-{number}"
        database = f"{self.env['DATABASE_URL']}?application_name={worker}"
        return self._process(
            worker, commands[name], lambda text: words in text, WORKER_NAME=worker, DATABASE_URL=database
        )

    def _answers(self, path: str) -> bool:
        try:
            urllib.request.urlopen(self.env["BASE_URL"] + path, timeout=2).close()
        except OSError:
            return False
        return True

    def _prepare(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "prepare_local"],
            env=self.env, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        if done.returncode:
            raise NotReady(f"the database cannot be prepared: {done.stderr[-500:]}")


def _call(method: str, url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
