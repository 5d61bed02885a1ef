"""The whole pipeline to be measured: our processes, PostgreSQL, the counting SQS server, the sandbox as Cloud API."""

import json
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg2

from bench import environment, load
from bench.processes import CHECKOUT, BenchError, Measured, eventually, python
from bench.sqs_server.process import SqsServer
from bench.statements import Statements
from deploy.local.postgres import Postgres, from_environment

PROCESSES = ("web", "dispatcher", "outgoing", "incoming", "analytics")
# Meta's higher throughput: at the default 80/s a number goes 77.6/s, and 80/s of load would pile up.
NUMBER_RATE = 1000
# The Cloud API's part of a send's latency.
ANSWER_MS = 100
# The sandbox's own statuses would mix with those that the bench sends: they come after the measurement's end.
NO_STATUSES_MS = 120_000
BULK = 1000
SETTLE_S = 60


class Pipeline:
    """`with Pipeline() as pipeline:` everything runs and is idle."""

    def __enter__(self) -> "Pipeline":
        with ExitStack() as stack:
            var = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waproject-bench-")))
            self.server = stack.enter_context(SqsServer())
            self.env = environment.build(self.server, var)
            self._start_postgres(stack, from_environment(self.env))
            prepared = subprocess.run(
                python("manage.py", "prepare_local"),
                env=self.env,
                cwd=CHECKOUT,
                check=False,
                capture_output=True,
                timeout=120,
            )
            if prepared.returncode:
                raise BenchError(f"prepare_local failed:\n{prepared.stderr.decode(errors='replace')[-2000:]}")
            self.execute("UPDATE messaging_businessnumber SET rate = %s", NUMBER_RATE)
            self.statements = Statements(self.env["DATABASE_URL"], var / "postgres.log")
            sandbox = python("-m", "messaging.sandbox", "--answer-ms", str(ANSWER_MS))
            sandbox += ["--throughput", str(NUMBER_RATE), "--status-delays-ms", ",".join([str(NO_STATUSES_MS)] * 3)]
            stack.enter_context(Measured("sandbox", sandbox, self.env)).wait_for("Cloud API sandbox on")
            self.processes = {name: stack.enter_context(environment.start(name, self.env)) for name in PROCESSES}
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._stack.close()

    def _start_postgres(self, stack: ExitStack, postgres: Postgres) -> None:
        stack.callback(postgres.stop)
        postgres.start()
        self._connection = psycopg2.connect(self.env["DATABASE_URL"], application_name="bench")
        self._connection.autocommit = True

    def execute(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the database; the bench's own statements are not counted."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of each of our processes."""
        return {name: process.cpu_s() for name, process in self.processes.items()}

    def requests(self) -> int:
        """Requests that SQS has got since the server's zero."""
        return sum(self.server.counts()["requests"].values())

    def api_request(self, path: str, body: object) -> bytes:
        """A signed-in POST to the API."""
        headers = {"Authorization": f"Bearer {self.env['API_KEY']}"}
        return load.request(self.env["BASE_URL"] + path, json.dumps(body).encode(), headers)

    def ledger(self) -> list[dict[str, Any]]:
        """What the sandbox accepted, in its order."""
        with urllib.request.urlopen(f"{self.env['SANDBOX_URL']}/_sandbox/ledger", timeout=30) as answer:
            return list(json.load(answer)["messages"])

    def accepted(self, count: int) -> list[dict[str, Any]]:
        """The ledger once it has this many entries, all recorded by us. Raises BenchError when that does not come."""

        def recorded() -> bool:
            (found,) = self.execute(
                "SELECT count(*) FROM messaging_message WHERE wamid IS NOT NULL AND direction = 'outbound'"
            )
            return bool(found[0] >= count)

        if not eventually(recorded, SETTLE_S):
            raise BenchError(f"{count} messages were not sent within {SETTLE_S} s")
        return self.ledger()

    def wait_idle(self) -> None:
        """Until no queue has anything left to work on. Raises BenchError."""

        def idle() -> bool:
            queues = self.server.counts()["queues"].values()
            return not any(queue["waiting"] or queue["in_flight"] or queue["delayed"] for queue in queues)

        if not eventually(idle, SETTLE_S):
            raise BenchError(f"the workers were not done within {SETTLE_S} s: {self.server.counts()['queues']}")
        time.sleep(1.2)  # hints at events are gathered for a second
        eventually(idle, SETTLE_S)
