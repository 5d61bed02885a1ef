"""The routes, and the server, which runs until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from . import cloud_api, control, fault_control, media_api, template_control
from .account import control as account_control
from .account import handlers as account
from .account import templates_api
from .phone import handlers as phone
from .settings import Behaviour, Identity
from .simulator import Simulator

logger = logging.getLogger(__name__)


def application(simulator: Simulator) -> Application:
    """All endpoints, without an access log: paths and queries hold phone numbers."""
    given = {"simulator": simulator}
    return Application(
        [
            (cloud_api.MESSAGES_PATH, cloud_api.MessagesHandler, given),
            (cloud_api.MARKETING_PATH, cloud_api.MarketingHandler, given),
            (media_api.UPLOAD_PATH, media_api.UploadHandler, given),
            (account.DEBUG_TOKEN_PATH, account.DebugTokenHandler, given),
            (account.NUMBERS_PATH, account.NumbersHandler, given),
            (account.SUBSCRIBED_APPS_PATH, account.SubscribedAppsHandler, given),
            (account.SUBSCRIPTIONS_PATH, account.SubscriptionsHandler, given),
            (account.REGISTER_PATH, account.RegisterHandler, given),
            (templates_api.TEMPLATES_PATH, templates_api.TemplatesHandler, given),
            (media_api.MEDIA_PATH, templates_api.NodeOrTemplateHandler, given),
            (media_api.FILE_PATH, media_api.FileHandler, given),
            (r"/_sandbox/ledger", control.LedgerHandler, given),
            (r"/_sandbox/inbound", control.InboundHandler, given),
            (r"/_sandbox/settings", control.SettingsHandler, given),
            (r"/_sandbox/faults", fault_control.FaultsHandler, given),
            (r"/_sandbox/faults/(\d{1,9})", fault_control.FaultHandler, given),
            (r"/_sandbox/templates", template_control.TemplatesHandler, given),
            (r"/_sandbox/account", account_control.AccountHandler, given),
            (r"/_sandbox/webhook", account_control.WebhookHandler, given),
            (r"/_sandbox/reset", control.ResetHandler, given),
            (r"/_sandbox/health", control.HealthHandler, given),
            (r"/_sandbox/?", phone.PageHandler, given),
            (r"/_sandbox/phone/live", phone.LiveHandler, given),
            (r"/_sandbox/phone/people", phone.PeopleHandler, given),
            (r"/_sandbox/phone/switches", phone.SwitchesHandler, given),
            (r"/_sandbox/phone/files/(\d+)", phone.FileHandler, given),
            (r"/_sandbox/phone/([a-z]+\.[a-z]+)", phone.PageHandler, given),
            (r"/_sandbox(?:/.*)?", control.UnknownControlHandler, given),
            (r"/", control.AboutHandler, given),
            (r"/.*", cloud_api.UnknownPathHandler, given),
        ],
        log_function=_no_access_log,
    )


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
    await phone.close_pages()
    await simulator.drop_pending()


def _no_access_log(handler: RequestHandler) -> None:
    del handler
