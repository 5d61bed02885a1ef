"""The cost of publishing a task for a process that has many: ours in batches, stock one by one."""

import json
import subprocess
from typing import Any

from bench.comparison.transport import VAR, environment_of
from bench.errors import BenchError
from testkit.processes import CHECKOUT, python
from testkit.sqs_server import SqsServer

COUNT = 3000
TIMEOUT_S = 120


def measure(count: int = COUNT) -> dict[str, Any]:
    """One run of both: {kind: {cpu_ms, requests_per_message}}."""
    return {kind: _measure(kind, count) for kind in ("stock", "ours")}


def _measure(kind: str, count: int) -> dict[str, float]:
    VAR.mkdir(parents=True, exist_ok=True)
    with SqsServer() as server:
        server.create_queue("bench")
        publisher = subprocess.run(
            python("-m", "bench.comparison.apps.publisher", str(count)),
            env=environment_of(kind, server),
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            timeout=TIMEOUT_S,
        )
        if publisher.returncode:
            raise BenchError(f"{kind} could not publish:\n{publisher.stderr.decode(errors='replace')[-2000:]}")
        found = json.loads(publisher.stdout)
        sending = sum(n for name, n in server.counts()["requests"].items() if name.startswith("Send"))
    return {"cpu_ms": found["cpu_ms"], "requests_per_message": sending / found["published"]}
