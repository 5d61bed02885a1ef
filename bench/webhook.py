"""What a webhook costs the web process, ours and a plain Django view with apply_async, behind the same web server."""

import tempfile
from pathlib import Path
from typing import Any

from bench import environment, load, updates
from bench.sqs_server.process import SqsServer
from bench.statistics import percentile

# The statuses that 80 sends a second cause. Both keep up, so CPU and latency are those of the same load.
PER_S = 240
SECONDS = 10
WARM_UP = 200
# Then as fast as they answer.
FLOOD = 2000


def measure(seconds: float = SECONDS, flood: int = FLOOD) -> dict[str, Any]:
    """One run of both; no worker runs beside them, and for ours there is no database at all."""
    return {
        kind: _measure(stock=kind == "stock", count=int(seconds * PER_S), flood=flood) for kind in ("stock", "ours")
    }


def _measure(*, stock: bool, count: int, flood: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="waproject-bench-") as var, SqsServer() as server:
        env = environment.build(server, Path(var))
        for lane in environment.LANES:
            server.create_queue(f"waproject-{lane}")
        requests = updates.inbound(env, max(count, flood, WARM_UP))
        with environment.start("web", env, stock=stock) as web:
            load.run(env["BASE_URL"], requests[:WARM_UP], PER_S).require(200)
            begun = web.cpu_s()
            steady = load.run(env["BASE_URL"], requests[:count], PER_S).require(200)
            cpu_s = web.cpu_s() - begun
            fast = load.run(env["BASE_URL"], requests[:flood], None).require(200)
    ordered = steady.ordered_ms()
    return {
        "cpu_ms": cpu_s * 1000 / count,
        "p50_ms": percentile(ordered, 50),
        "p99_ms": percentile(ordered, 99),
        "per_s": flood / fast.seconds,
    }
