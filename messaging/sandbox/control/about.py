"""The sandbox about itself: its description, its health."""

from __future__ import annotations

import time

from .control_handler import ControlHandler

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
