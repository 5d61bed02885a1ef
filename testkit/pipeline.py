"""The whole pipeline as real processes on 127.0.0.1: the Procfile's lines, PostgreSQL, the fake SQS, the sandbox."""

import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any, Self

import psycopg2

from deploy.local import credentials, environment, procfile
from deploy.local.ports import is_open
from deploy.local.postgres import Postgres
from testkit.guard import Guard
from testkit.load.sandbox import Sandbox
from testkit.ports import free_ports
from testkit.processes import CHECKOUT, Process, inherited_environment, python, shell
from testkit.sqs_server import SqsServer
from testkit.waiting import NotReady, wait_until

PORTS = ("PORT", "SANDBOX_PORT", "SQS_PORT", "POSTGRES_PORT", "FLOWER_PORT")
LANES = environment.LANES
# The text that each process logs once it is ready. Web and Flower answer then, and beat creates its schedule file.
READY = {
    "dispatcher": "dispatcher is ready",
    "deliver": "deliver is ready",
    "monitor": "monitor is ready",
    **dict.fromkeys(LANES, " ready."),
}
PREPARE_S = 120
EMPTY_S = 20.0
# Deletes all rows of a load and resets the business number.
FORGET = """
TRUNCATE messaging_message, messaging_pairpace, messaging_orphanstatus, messaging_incomingmark,
  messaging_idempotencykey, messaging_hold CASCADE;
UPDATE messaging_businessnumber SET paused_at = NULL, pause_reason = '', throttled_until = NULL, throttles = 0,
  pace_share = 1, slowed_at = NULL, failures = 0, probe_at = NULL, probe_step = 0, tokens = 0, tokens_at = now();
"""


class Pipeline:
    """`with Pipeline({"web": 1, "outgoing": 2}) as pipeline:` these processes are running and ready.

    settings: environment variables of all processes. Each process's application_name in PostgreSQL is its name in the
    Procfile, with a number if there are several. The directory with all logs is removed at the end unless `keep_logs`;
    a `database` directory of the caller's stays, and what is in it.
    """

    def __init__(
        self,
        processes: Mapping[str, int],
        settings: Mapping[str, str] | None = None,
        sandbox_options: Sequence[str] = (),
        database: Path | None = None,
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="waproject-pipeline-"))
        self.directory.chmod(0o755)  # PostgreSQL may run as another user
        self.keep_logs = False
        ports = free_ports(PORTS)
        secrets = credentials.load(self.directory / "secrets.json")
        caller = inherited_environment() | dict(settings or {})
        self.env = environment.build(caller, secrets, ports, self.directory)
        self._schedule = Path(self.env["BEAT_SCHEDULE"])
        self._schedule.parent.mkdir()
        data = database or self.directory / "postgres"
        self.postgres = Postgres(data, ports["POSTGRES_PORT"], secrets["POSTGRES_PASSWORD"])
        self.sqs = SqsServer(port=ports["SQS_PORT"])
        self.sandbox = Sandbox(self.env["SANDBOX_URL"])
        self._guard = Guard()
        self._sandbox_process = self._process(
            "sandbox",
            python("-m", "messaging.sandbox", *sandbox_options),
            lambda _: is_open(ports["SANDBOX_PORT"]),
        )
        self._groups = {
            name: [self._named(name, number, count) for number in range(1, count + 1)]
            for name, count in processes.items()
        }

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._remove)
            stack.callback(self._guard.end)
            try:
                self._start(stack)
            except Exception as error:
                self._keep_logs_of(error)
                raise
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception):
            self._keep_logs_of(error)
        self._stack.close()

    @property
    def processes(self) -> list[Process]:
        """The Procfile's processes."""
        return [process for group in self._groups.values() for process in group]

    def group(self, name: str) -> list[Process]:
        """The processes of one line of the Procfile."""
        return self._groups[name]

    @contextmanager
    def flower(self) -> Iterator[Process]:
        """Flower beside the other processes; it is ready."""
        with self._named("flower", 1, 1) as process:
            yield process

    def command(self, name: str, *arguments: str) -> Process:
        """A command of manage.py with the pipeline's settings; not started, and ended by the caller."""
        return self._process(name, python("manage.py", *arguments), lambda _: True)

    def start_postgres(self) -> None:
        """Start PostgreSQL, also after it was stopped or killed."""
        self.postgres.start()
        self._guard.watch(self.postgres.pid or 0)

    def kill_postgres(self) -> None:
        """kill -9: no checkpoint, every connection broken."""
        pid = self.postgres.pid or 0
        self.postgres.kill()
        self._guard.forget(pid)

    def forget(self) -> None:
        """Drop messages, queues and faults of an idle pipeline, and give the number its first pace."""
        self.sandbox.call("POST", "reset")
        wait_until(self._no_update_waits, "the incoming queue is empty", EMPTY_S)
        # Also what a killed worker held, which would return after its visibility timeout.
        self.sqs.forget()
        self.execute(FORGET)

    def query(self, statement: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that the database answers."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, list(parameters) or None)
            return list(cursor.fetchall())

    def number(self, statement: str, parameters: Iterable[object] = ()) -> int:
        """The one number that the database answers."""
        ((found,),) = self.query(statement, parameters)
        return int(found)

    def execute(self, statements: str, parameters: Iterable[object] = ()) -> None:
        """Change the database."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statements, list(parameters) or None)

    def connect(self) -> Any:
        """A new connection that commits each statement."""
        connection = psycopg2.connect(
            self.postgres.url, connect_timeout=3, sslmode="disable", application_name="testkit"
        )
        connection.autocommit = True
        return connection

    def _start(self, stack: ExitStack) -> None:
        stack.callback(self.postgres.kill)
        self.start_postgres()
        stack.enter_context(self.sqs)
        stack.enter_context(self._sandbox_process)
        self._prepare()
        for process in self.processes:
            stack.callback(process.kill)
            process.start()
        for process in self.processes:
            process.wait_ready()

    def _keep_logs_of(self, error: Exception) -> None:
        self.keep_logs = True
        error.add_note(f"logs: {self.directory}")

    def _no_update_waits(self) -> bool:
        queues = self.sqs.counts()["queues"]
        return not any(counts["waiting"] for name, counts in queues.items() if name.endswith("-incoming"))

    def _process(self, name: str, command: Sequence[str], ready: Callable[[str], bool], **env: str) -> Process:
        return Process(command, {**self.env, **env}, self.directory / f"{name}.log", ready, self._guard)

    def _named(self, line: str, number: int, count: int) -> Process:
        name = line if count == 1 else f"{line}-{number}"
        command = procfile.read(CHECKOUT / "Procfile")[line]
        return self._process(
            name, shell(command), lambda text: self._is_ready(line, text), WORKER_NAME=name, PGAPPNAME=name
        )

    def _is_ready(self, line: str, text: str) -> bool:
        if line == "web":
            return self._is_healthy()
        if line == "flower":
            return is_open(int(self.env["FLOWER_PORT"]))
        if line == "beat":
            return any(self._schedule.parent.iterdir())
        return READY[line] in text

    def _is_healthy(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.env['BASE_URL']}/health/live", timeout=2).close()
        except OSError:
            return False
        return True

    def _prepare(self) -> None:
        preparation = self.command("prepare", "prepare_local")
        preparation.start()
        try:
            status = preparation.popen.wait(PREPARE_S)
        finally:
            preparation.kill()
        if status:
            raise NotReady(f"the database cannot be prepared: {preparation.text()[-2000:]}")

    def _remove(self) -> None:
        if not self.keep_logs:
            rmtree(self.directory, ignore_errors=True)
