"""The messages endpoint of the Cloud API, where a body with a `status` is a read receipt."""

from __future__ import annotations

import asyncio
import hmac
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from .. import graph_errors
from ..account import MESSAGING
from ..checks.send import check_product, check_send, read_receipt_wamid
from ..ledger import Entry
from ..outcomes.outcome import Ending, Outcome
from .graph_handler import GraphHandler

MESSAGES_PATH = r"/v\d+\.\d+/(\d+)/messages"
MARKETING_PATH = r"/v\d+\.\d+/(\d+)/marketing_messages"
_PERMISSION_DENIED, _LOCKED, _NOT_REGISTERED, _MARKETING_NOT_OPEN = 10, 131031, 133010, 134102
# A client that waits longer than this for an answer loses its connection.
HANG_SECONDS = 120.0


class MessagesHandler(GraphHandler):
    """``POST /vNN.N/{phone_number_id}/messages``."""

    marketing = False

    def prepare(self) -> None:
        """Called by Tornado before the method."""
        self._left = asyncio.Event()

    async def post(self, phone_number_id: str) -> None:
        """A send, or a read receipt when the body has a ``status``."""
        received_at = time.time()
        self._check_caller(phone_number_id)
        body = check_product(self.json_body())
        if "status" in body and not self.marketing:
            typing = body.get("typing_indicator") is not None
            self._mark_read(phone_number_id, read_receipt_wamid(body), typing=typing)
            return
        if self.marketing and not self.simulator.behaviour.marketing_api:
            raise graph_errors.of_code(_MARKETING_NOT_OPEN, HTTPStatus.INTERNAL_SERVER_ERROR)
        message = check_send(body, marketing=self.marketing)
        outcome = self.simulator.outcome_of(message, phone_number_id)
        entry = await self.simulator.answer(message, phone_number_id, received_at, outcome)
        if entry and outcome.ending is Ending.ANSWER:
            self.answer(accepted_body(entry))
        else:
            await self._break_off(outcome)

    def get(self, phone_number_id: str) -> None:
        """Meta lists no messages."""
        raise graph_errors.no_such_object(phone_number_id, "GET")

    def on_connection_close(self) -> None:
        """The client has left before it was answered."""
        self._left.set()

    async def _break_off(self, outcome: Outcome) -> None:
        match outcome.ending:
            case Ending.HANG:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._left.wait(), HANG_SECONDS)
                self._close_connection()
            case Ending.DROP:
                self._close_connection()
            case _:
                raise outcome.error()

    def _close_connection(self) -> None:
        """Without a byte of an answer."""
        if stream := self.detach():
            stream.close()

    def _check_caller(self, phone_number_id: str) -> None:
        identity = self.simulator.identity
        given = self.request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {identity.access_token}".encode()):
            raise graph_errors.bad_token()
        if not identity.has(phone_number_id):
            raise graph_errors.no_such_object(phone_number_id, "POST")
        account = self.simulator.account
        if not account.token_is_usable():
            raise graph_errors.expired_token()
        if MESSAGING not in account.token.scopes:
            raise graph_errors.of_code(_PERMISSION_DENIED)
        if account.account.is_disabled or account.number(phone_number_id).status == "BANNED":
            raise graph_errors.of_code(_LOCKED)
        if not account.number(phone_number_id).registered:
            raise graph_errors.of_code(_NOT_REGISTERED)

    def _mark_read(self, phone_number_id: str, wamid: str, typing: bool) -> None:
        # Users write to the first number alone.
        if phone_number_id != self.simulator.identity.phone_number_id or not self.simulator.has_inbound(wamid):
            raise graph_errors.bad_value("Message ID is not valid")
        self.simulator.phones.business_read(wamid, typing)
        self.answer({"success": True})


class MarketingHandler(MessagesHandler):
    """``POST /vNN.N/{phone_number_id}/marketing_messages``: the Marketing Messages API."""

    marketing = True


def accepted_body(entry: Entry) -> dict[str, Any]:
    """The answer to an accepted send: ``wa_id`` when it went to a phone number, ``user_id`` when to a user id."""
    recipient = entry.message.recipient
    status = "accepted" if entry.assessment is None else "held_for_quality_assessment"
    known = {"wa_id": recipient.wa_id} if recipient.wa_id else {"user_id": recipient.user_id}
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": entry.message.recipient_input, **known}],
        "messages": [{"id": entry.wamid, "message_status": status}],
    }
