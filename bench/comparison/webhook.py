"""The cost of a webhook for web: ours, and a plain Django view with apply_async behind gunicorn's own worker."""

import json
import re
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.production import PRODUCTION
from deploy.local import credentials, environment, procfile
from deploy.local.ports import is_open
from testkit.load import http_load, webhook_load
from testkit.pipeline import LANES, PORTS
from testkit.ports import free_ports
from testkit.processes import CHECKOUT, Process, inherited_environment, shell
from testkit.sqs_server import SqsServer
from testkit.statistics import summary

# The statuses that 80 sends a second cause. Both keep up, so CPU and latency are those of the same load.
PER_S = 240
SECONDS = 10
WARM_UP = 200
# Then as fast as web answers.
FLOOD = 2000
# As deploy/infrastructure.yaml has it.
MAX_RECEIVES = 10
# gunicorn's settings of ours name classes that read Django settings of ours, which the stock application does not have.
STOCK = (
    (re.compile(r"waproject\.wsgi"), "bench.comparison.apps.stock_web"),
    (re.compile(r"waproject\.web\.gunicorn_config"), "bench.comparison.apps.stock_gunicorn"),
)


def measure(seconds: float = SECONDS, flood: int = FLOOD) -> dict[str, Any]:
    """One run of both; no worker runs beside them, and ours has no database at all."""
    return {
        kind: _measure(stock=kind == "stock", count=int(seconds * PER_S), flood=flood) for kind in ("stock", "ours")
    }


def _measure(*, stock: bool, count: int, flood: int) -> dict[str, float]:
    with TemporaryDirectory(prefix="waproject-bench-") as var, SqsServer() as server:
        env = _environment(server, Path(var))
        for lane in LANES:
            # Ours does not start while a queue has no redrive policy.
            arn = f"arn:aws:sqs:us-east-1:000000000000:waproject-{lane}-dlq"
            policy = {"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES}
            server.create_queue(f"waproject-{lane}", RedrivePolicy=json.dumps(policy))
        requests = webhook_load.inbound(env, max(count, flood, WARM_UP))
        with _web(env, Path(var), stock=stock) as web:
            http_load.run(env["BASE_URL"], requests[:WARM_UP], PER_S).require(200)
            begun = web.cpu_s()
            steady = http_load.run(env["BASE_URL"], requests[:count], PER_S).require(200)
            cpu_s = web.cpu_s() - begun
            fast = http_load.run(env["BASE_URL"], requests[:flood], None).require(200)
    return {"cpu_ms": cpu_s * 1000 / count, **summary(steady.milliseconds()), "per_s": flood / fast.seconds}


def _environment(server: SqsServer, var: Path) -> dict[str, str]:
    caller = inherited_environment() | PRODUCTION | {"AWS_ENDPOINT_URL_SQS": server.endpoint}
    return environment.build(caller, credentials.load(var / "secrets.json"), free_ports(PORTS), var)


def _web(env: dict[str, str], var: Path, *, stock: bool) -> Process:
    """The Procfile's web, or the same processes and threads with the plain Django application."""
    command = procfile.read(CHECKOUT / "Procfile")["web"]
    if stock:
        for ours, plain in STOCK:
            command = ours.sub(plain, command)
    name = "stock-web" if stock else "web"
    return Process(shell(command), env, var / f"{name}.log", lambda _: _is_up(env, stock=stock))


def _is_up(env: dict[str, str], *, stock: bool) -> bool:
    if stock:
        return is_open(int(env["PORT"]))
    try:
        urllib.request.urlopen(f"{env['BASE_URL']}/health/live", timeout=2).close()
    except OSError:
        return False
    return True
