"""An SQS server behind a faulty proxy, and two workers: one with processes, one with threads."""

import os
import shutil
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

import boto3
from botocore.config import Config

from chaos.transport.servers import SERVERS
from chaos.transport.witness import Tally
from deploy.local import environment
from testkit.guard import Guard
from testkit.processes import Process, inherited_environment, shell
from testkit.sqs_proxy import SqsProxy
from testkit.waiting import eventually
from waproject.sqs import control
from waproject.sqs.wire import Client

QUEUE = "waproject-incoming"
REGION = "us-east-1"
POOLS = {"prefork": 2, "threads": 4}
PORTS = ("PORT", "SANDBOX_PORT", "SQS_PORT", "POSTGRES_PORT", "FLOWER_PORT")
SECRETS = (
    "POSTGRES_PASSWORD", "DJANGO_SECRET_KEY", "WA_APP_SECRET", "WA_ACCESS_TOKEN", "WA_WEBHOOK_VERIFY_TOKEN",
    "FLOWER_PASSWORD",
)  # fmt: skip
# A worker that stops waits for the end of its long poll, 20 s in production.
WAIT_TIME_S = 2


class Rig:
    """All parts of one scenario. `with Rig(…) as rig` starts them, and ends them.

    `failed`: keep the directory. `killed`: processes that were killed; their tasks may be done again, as far as they
    were `in_flight`.
    """

    def __init__(self, server: str, visibility_s: int, max_receives: int) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="chaos-transport-"))
        self.witness = self.directory / "witness"
        self.begun = self.directory / "begun"
        self.witness.touch()
        self.begun.touch()
        self.failed = False
        self.killed: set[int] = set()
        self.in_flight = 0
        self._server, self._visibility_s, self._max_receives = server, visibility_s, max_receives

    def __enter__(self) -> "Rig":
        with ExitStack() as stack:
            guard = Guard()
            stack.callback(guard.end)
            self._runs_begun = stack.enter_context(closing(Tally(self.begun)))
            self._runs_ended = stack.enter_context(closing(Tally(self.witness)))
            port = stack.enter_context(SERVERS[self._server](self.directory, guard))
            self.url = f"http://127.0.0.1:{port}/{environment.ACCOUNT}/{QUEUE}"
            self.dlq_url = f"{self.url}-dlq"
            os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")  # noqa: S106 - signs for nobody
            self.proxy = SqsProxy(port)
            stack.callback(self.proxy.close)
            self.client = Client(REGION, self.proxy.endpoint)
            # Past the proxy: observations must not depend on what is broken.
            self.sqs = boto3.client(
                "sqs", endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION, config=Config(read_timeout=10)
            )
            control.create_with_dlq(
                self.sqs, self.url, self.dlq_url,
                visibility_timeout=self._visibility_s, max_receives=self._max_receives,
            )  # fmt: skip
            self.workers = [self._worker(pool, guard) for pool in POOLS]
            for worker in self.workers:
                stack.callback(worker.kill)
                worker.start()
            for worker in self.workers:
                worker.wait_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        if not self.failed:
            shutil.rmtree(self.directory, ignore_errors=True)

    def depth(self) -> control.Depth:
        """The queue's messages by state."""
        return control.depth(self.sqs, self.url)

    def wait_done(self, timeout: float) -> bool:
        """Whether the queue is empty within this many seconds."""
        return eventually(lambda: not self.depth().total, timeout, 0.2)

    def at_work(self, pid: int) -> int:
        """How many tasks this process, or the worker with this pid, has begun and not finished."""
        # The ends are read first: a task that ends meanwhile counts as one at work, never as one that did not begin.
        ended = self._runs_ended.of(pid)
        return self._runs_begun.of(pid) - ended

    def note_kill(self, pid: int) -> int:
        """Note that this process was just killed; the number of messages in flight, of all workers."""
        self.killed.add(pid)
        return self.depth().in_flight

    def _worker(self, pool: str, guard: Guard) -> Process:
        command = f"celery -A chaos.transport.app worker -Q incoming -P {pool} -c {POOLS[pool]} -n {pool}@%h"
        log = self.directory / f"{pool}.log"
        return Process(shell(command), self._environment(), log, lambda text: "worker is ready" in text, guard)

    def _environment(self) -> dict[str, str]:
        caller = inherited_environment() | {
            "AWS_ENDPOINT_URL_SQS": self.proxy.endpoint,
            "SQS_INCOMING_QUEUE_URL": self.url,
            "SQS_INCOMING_DLQ_URL": self.dlq_url,
            "SQS_WAIT_TIME_S": str(WAIT_TIME_S),
            "CHAOS_BEGUN": str(self.begun),
            "CHAOS_WITNESS": str(self.witness),
            "CHAOS_VISIBILITY_S": str(self._visibility_s),
        }
        # Nothing listens on these ports, and nothing asks there.
        ports = dict.fromkeys(PORTS, 1)
        return environment.build(caller, dict.fromkeys(SECRETS, "x" * 40), ports, self.directory)
