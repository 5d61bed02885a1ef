"""The HTTP server, which runs until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from .control.about import AboutHandler
from .control.control_handler import UnknownControlHandler
from .control.routes import ROUTES as CONTROL_ROUTES
from .graph_api.graph_handler import UnknownPathHandler
from .graph_api.routes import ROUTES as GRAPH_ROUTES
from .phone.handlers import close_pages
from .phone.routes import ROUTES as PHONE_ROUTES
from .settings import Behaviour, Identity
from .simulator import Simulator

logger = logging.getLogger(__name__)

# Well under the second in which the process must end.
DROP_SECONDS = 0.5

# The first that matches answers.
ROUTES = (
    *GRAPH_ROUTES,
    *CONTROL_ROUTES,
    *PHONE_ROUTES,
    (r"/_sandbox(?:/.*)?", UnknownControlHandler),
    (r"/", AboutHandler),
    (r"/.*", UnknownPathHandler),
)


def application(simulator: Simulator) -> Application:
    """All endpoints, without an access log: paths and queries hold phone numbers."""
    given = {"simulator": simulator}
    return Application([(path, handler, given) for path, handler in ROUTES], log_function=_no_access_log)


async def serve(listening: socket.socket, identity: Identity, behaviour: Behaviour) -> None:
    """Serve on this socket until SIGTERM or SIGINT. Requests and webhooks still open then are dropped."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    simulator = Simulator(identity, behaviour)
    server = HTTPServer(application(simulator))
    server.add_sockets([listening])
    port = listening.getsockname()[1]
    logger.info("Cloud API sandbox on http://127.0.0.1:%d, webhooks go to %s", port, identity.webhook_url)
    await stop.wait()
    server.stop()
    await close_pages()
    await simulator.drop_pending(DROP_SECONDS)


def _no_access_log(handler: RequestHandler) -> None:
    del handler
