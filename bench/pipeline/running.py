"""The pipeline of a measurement: every process of the Procfile except Flower, with production's polls and logs."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.pipeline.statements import Statements
from bench.production import PRODUCTION
from testkit.load import http_load
from testkit.pipeline import Pipeline as RunningPipeline
from testkit.processes import cpu_s
from testkit.waiting import eventually

# Flower runs only while a person looks at it.
PROCESSES = ("web", "dispatcher", "outgoing", "incoming", "analytics", "deliver", "monitor", "beat")
# Meta's higher throughput: at the default 80/s a number sends 77.6/s, and a load of 80/s would pile up.
NUMBER_RATE = 1000
# The Cloud API's part of a send's latency.
ANSWER_MS = 100
# The sandbox's own statuses would mix with those of the bench, so they come in ten hours: after the last part, even if
# many runs of a bulk of 50,000 share the pipeline.
NO_STATUSES_MS = 36_000_000
SETTLE_S = 60
HINTS_GATHERED_S = 1.2


class Pipeline(RunningPipeline):
    """`with Pipeline() as pipeline:` everything runs and is idle.

    `settings`: variables of all processes. A `database` directory is kept for another run.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, database: Path | None = None) -> None:
        sandbox = ["--answer-ms", str(ANSWER_MS), "--throughput", str(NUMBER_RATE)]
        sandbox += ["--status-delays-ms", ",".join([str(NO_STATUSES_MS)] * 3)]
        super().__init__(dict.fromkeys(PROCESSES, 1), {**PRODUCTION, **(settings or {})}, sandbox, database)

    def __enter__(self) -> "Pipeline":
        super().__enter__()
        self._connection = self.connect()
        # A kept database has attempts of earlier runs; this run's sandbox does not know them.
        self._attempts_before = self._attempts()
        self.statements = Statements(self.ask, self.postgres.log_path)
        self.execute("UPDATE messaging_businessnumber SET rate = %s", [NUMBER_RATE])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._connection.close()
        super().__exit__(kind, error, trace)

    def ask(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that the database answers over one open connection, whose statements are not counted."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of each of our processes."""
        return {process.name: process.cpu_s() for process in self.processes}

    def postgres_cpu_s(self) -> float:
        """CPU seconds of PostgreSQL: its backends, ended ones too, and its background processes."""
        return cpu_s(self.postgres.pid or 0)

    def requests(self) -> int:
        """Requests that SQS has got."""
        return sum(self.sqs.counts()["requests"].values())

    def api_request(self, path: str, body: object, method: str = "POST") -> bytes:
        """An authenticated request to the API."""
        headers = {"Authorization": f"Bearer {self.env['API_KEY']}"}
        return http_load.request(self.env["BASE_URL"] + path, json.dumps(body).encode(), headers, method)

    def accepted(self, count: int, timeout: float = SETTLE_S) -> list[dict[str, Any]]:
        """The ledger, once we have recorded `count` accepted sends. Raises BenchError."""
        wanted = self._attempts_before + count
        if not eventually(lambda: self._attempts() >= wanted, timeout):
            missing = wanted - self._attempts()
            raise BenchError(f"{missing} of {count} messages were not sent within {timeout:.0f} s")
        return self.sandbox.ledger()

    def _attempts(self) -> int:
        """How many attempts Meta has accepted."""
        return int(self.ask("SELECT count(*) FROM messaging_attempt WHERE wamid <> ''")[0][0])

    def wait_idle(self) -> None:
        """Wait until no queue has anything to work on. Raises BenchError."""
        if not eventually(self._is_idle, SETTLE_S):
            raise BenchError(f"the workers were not done within {SETTLE_S} s: {self.sqs.counts()['queues']}")
        time.sleep(HINTS_GATHERED_S)
        eventually(self._is_idle, SETTLE_S)

    def _is_idle(self) -> bool:
        lanes = [self.env[f"SQS_{lane}_QUEUE_URL"].rpartition("/")[2] for lane in ("INCOMING", "OUTGOING", "ANALYTICS")]
        queues = self.sqs.counts()["queues"]
        return not any(queues[lane][state] for lane in lanes for state in ("waiting", "in_flight", "delayed"))
