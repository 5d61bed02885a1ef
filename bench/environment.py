"""Our processes as the Procfile starts them, in the environment of a local run with production's polls and logs."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench.processes import CHECKOUT, VAR, Measured, callers
from bench.sqs_server.process import SqsServer
from deploy.local import credentials, environment, procfile

LANES = environment.LANES
WEB_WORKERS = "2"
READY = {"dispatcher": "dispatcher is ready", **dict.fromkeys(LANES, " ready.")}
PORTS = ("PORT", "SANDBOX_PORT", "FLOWER_PORT", "SQS_PORT", "POSTGRES_PORT")
STOCK_WSGI = "bench.apps.stock_web"
# It reads our settings, where the stock application has its own.
OUR_LOGGER = "--logger-class waproject.logs.gunicorn.Logger"


def build(server: SqsServer, var: Path) -> dict[str, str]:
    """The whole environment, with queues on this server; of the caller's only what finds programs and files."""
    production = {"SQS_WAIT_TIME_S": "20", "LOG_FORMAT": "json"}
    caller = callers() | {"AWS_ENDPOINT_URL_SQS": server.endpoint, "WEB_WORKERS": WEB_WORKERS, **production}
    return environment.build(caller, credentials.load(VAR / "secrets.json"), _free_ports(), var)


def start(name: str, env: Mapping[str, str], *, stock: bool = False) -> Measured:
    """Start a line of the Procfile and wait until it works; PostgreSQL sees it under its name.

    `stock`: the web line with the plain Django application in the place of ours.
    """
    command = procfile.read(CHECKOUT / "Procfile")[name]
    if stock:
        command = command.replace("waproject.wsgi", STOCK_WSGI).replace(OUR_LOGGER, "")
    process = Measured(
        f"{'stock-' if stock else ''}{name}",
        ["/bin/sh", "-c", f"exec {command}"],
        {**env, "PGAPPNAME": name},
    )
    with ExitStack() as stack:
        stack.push(process)
        if name == "web":
            process.wait_for("Booting worker", int(env["WEB_WORKERS"]))
            process.wait_until(lambda: _listens(int(env["PORT"])), "listening")
        else:
            process.wait_for(READY[name])
        stack.pop_all()
    return process


def _free_ports() -> dict[str, int]:
    probes = [socket.socket() for _ in PORTS]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return dict(zip(PORTS, ports, strict=True))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
