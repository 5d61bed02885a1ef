"""``/_sandbox/inbound``: a user writes."""

from __future__ import annotations

from ..users.inbound import inbound_message
from .control_handler import ControlHandler
from .inbound_media import form_fields, with_file


class InboundHandler(ControlHandler):
    """``POST /_sandbox/inbound``."""

    async def post(self) -> None:
        """Answers after the first attempt; ``http_status`` is null when the webhook got no answer."""
        form = form_fields(self.request)
        media, number = self.simulator.media, self.simulator.identity.phone_number_id
        given = with_file(media, number, self.json_object() if form is None else form)
        wamid, delivery = self.simulator.user_writes(inbound_message(given))
        await delivery.tried.wait()
        delivered = delivery.acknowledged_at is not None
        self.answer({"wamid": wamid, "delivered": delivered, "http_status": delivery.http_status})
