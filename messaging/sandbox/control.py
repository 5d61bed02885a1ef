"""The sandbox's own endpoints under ``/_sandbox/``: the ledger, users who write, settings, reset, health."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from .handlers import JsonHandler
from .inbound import inbound_message
from .inbound_media import form_fields, with_file
from .settings import InputError

ABOUT = """\
A simulator of Meta's WhatsApp Cloud API. Nothing here leaves this machine; all state is in memory.

POST /vNN.N/{phone_number_id}/messages   send a message, as to graph.facebook.com
GET  /_sandbox/                          a user's phone, to be opened in a browser
GET  /_sandbox/ledger                    every accepted send (?to= ?callback= ?count_only=1)
GET  /vNN.N/{media_id}                   where a file is; POST /vNN.N/{phone_number_id}/media uploads one
POST /_sandbox/inbound                   a user writes: {"from": "15551230001", "text": "Hello"}
                                         or sends a file: {"from": "15551230001", "type": "image"}
POST /_sandbox/faults                    calls go wrong: {"to": "15551230001", "outcome": {"error": 131056}}
GET  /_sandbox/faults, DELETE the same   which there are, and how many calls they hit
GET  /_sandbox/settings, POST the same   answer times, Meta's limits, the customer service window, webhooks in disorder
GET  /vNN.N/{id}                         the account, a number, the app or a template; more in docs/sandbox.md
GET  /_sandbox/account, POST the same    facts of the account, its numbers and its token
POST /_sandbox/webhook                   a webhook of any field: {"field": "account_update", "value": {...}}
GET  /_sandbox/templates                 the account's templates; POST adds one, or sets its status
POST /_sandbox/reset                     forget everything
GET  /_sandbox/health                    {"ok": true, "at": 1790000000.0}

Recipients whose number says what happens:
+1 555 9 and a code, such as +15559131056   refused with this code
+1 555 8 and a code, such as +15558131026   accepted, then reported failed with this code
+1 555 7000001 to 7000010                   answers lost, late, never: docs/sandbox.md has the table, and examples
"""


class ControlHandler(JsonHandler):
    """Answers ``{"error": what}``, with ``"field"`` for bad input."""

    def json_object(self) -> dict[str, Any]:
        """The request's JSON object. Raises InputError."""
        body = self.json_body()
        if not isinstance(body, dict):
            raise InputError("body", "must be a JSON object")
        return body

    def _handle_request_exception(self, e: BaseException) -> None:
        if isinstance(e, InputError):
            self.answer({"error": e.problem, "field": e.field}, HTTPStatus.BAD_REQUEST)
        else:
            super()._handle_request_exception(e)

    def error_body(self, status_code: int) -> dict[str, Any]:
        """Such as ``{"error": "Method Not Allowed"}``."""
        return {"error": HTTPStatus(status_code).phrase}


class LedgerHandler(ControlHandler):
    """``GET /_sandbox/ledger``."""

    def get(self) -> None:
        """``{"count": n, "messages": [...]}``; only the count with ``?count_only=1``."""
        found = self.simulator.ledger.find(
            to=self.get_query_argument("to", None),
            callback_data=self.get_query_argument("callback", None),
        )
        body: dict[str, Any] = {"count": len(found)}
        if self.get_query_argument("count_only", "0") in {"", "0"}:
            body["messages"] = [entry.as_json() for entry in found]
        self.answer(body)


class InboundHandler(ControlHandler):
    """``POST /_sandbox/inbound``."""

    async def post(self) -> None:
        """Answers after the first attempt; ``http_status`` is null when nobody answered the webhook."""
        form = form_fields(self.request)
        given = with_file(self.simulator.media, self.json_object() if form is None else form)
        wamid, delivery = self.simulator.user_writes(inbound_message(given))
        await delivery.tried.wait()
        delivered = delivery.acknowledged_at is not None
        self.answer({"wamid": wamid, "delivered": delivered, "http_status": delivery.http_status})


class SettingsHandler(ControlHandler):
    """``GET`` and ``POST /_sandbox/settings``."""

    def get(self) -> None:
        """Answer all settings."""
        self.answer(self.simulator.behaviour.as_json())

    def post(self) -> None:
        """Change the given settings for messages accepted from now on; answers all."""
        self.simulator.behaviour = self.simulator.behaviour.changed(self.json_object())
        self.get()


class ResetHandler(ControlHandler):
    """``POST /_sandbox/reset``."""

    async def post(self) -> None:
        """Empty the ledger, delete files, cancel pending webhooks, restore the initial settings."""
        await self.simulator.reset()
        self.answer({"ok": True})


class HealthHandler(ControlHandler):
    """``GET /_sandbox/health``."""

    def get(self) -> None:
        """The process answers, with its clock in unix seconds."""
        self.answer({"ok": True, "at": time.time()})


class AboutHandler(ControlHandler):
    """``GET /``."""

    def get(self) -> None:
        """A description for people."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(ABOUT)


class UnknownControlHandler(ControlHandler):
    """Any other path under ``/_sandbox/``, with any method."""

    def prepare(self) -> None:
        """Runs before the method is looked up."""
        self.answer({"error": "Not Found"}, HTTPStatus.NOT_FOUND)
