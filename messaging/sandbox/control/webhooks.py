"""``/_sandbox/webhook``: webhooks about the account."""

from __future__ import annotations

import time

from ..settings import InputError
from .control_handler import ControlHandler


class WebhookHandler(ControlHandler):
    """``POST /_sandbox/webhook``: ``{"field", "value"}``."""

    async def post(self) -> None:
        """Send a webhook of any field, as of this account; answers after the first attempt to deliver it."""
        given = self.json_object()
        name, value = given.get("field"), given.get("value")
        if not isinstance(name, str) or not name:
            raise InputError("field", "must be the name of a webhook field, such as account_update")
        if not isinstance(value, dict):
            raise InputError("value", "must be an object")
        delivery = self.simulator.account_changed(name, value, time.time())
        await delivery.tried.wait()
        self.answer({"delivered": delivery.acknowledged_at is not None, "http_status": delivery.http_status})
