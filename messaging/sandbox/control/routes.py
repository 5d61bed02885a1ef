"""The paths under ``/_sandbox/``, without those of the page."""

from __future__ import annotations

from tornado.web import RequestHandler

from . import about, account, faults, inbound, ledger, reset, settings, templates, webhooks

ROUTES: list[tuple[str, type[RequestHandler]]] = [
    (r"/_sandbox/ledger", ledger.LedgerHandler),
    (r"/_sandbox/inbound", inbound.InboundHandler),
    (r"/_sandbox/settings", settings.SettingsHandler),
    (r"/_sandbox/faults", faults.FaultsHandler),
    (r"/_sandbox/faults/(\d{1,9})", faults.FaultHandler),
    (r"/_sandbox/templates", templates.TemplatesHandler),
    (r"/_sandbox/account", account.AccountHandler),
    (r"/_sandbox/webhook", webhooks.WebhookHandler),
    (r"/_sandbox/reset", reset.ResetHandler),
    (r"/_sandbox/health", about.HealthHandler),
]
