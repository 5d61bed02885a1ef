"""The simulated business number: accepts sends, reports their statuses, lets users write."""

from __future__ import annotations

import asyncio
import random
import time

from .envelopes import inbound_envelope, status_envelope
from .inbound import InboundMessage
from .ledger import Entry, Ledger, StatusReport
from .media import MediaLibrary
from .settings import STATUSES, Behaviour, Identity
from .validation import OutboundMessage
from .wamid import inbound_wamid, outbound_wamid
from .webhooks import Delivery, WebhookSender


class Simulator:
    """All of the sandbox's state. Made and used inside a running event loop."""

    def __init__(self, identity: Identity, behaviour: Behaviour) -> None:
        self.identity = identity
        self.behaviour = behaviour
        self.ledger = Ledger()
        self.media = MediaLibrary(identity.app_secret)
        self._initial_behaviour = behaviour
        self._webhooks = WebhookSender(identity.webhook_url, identity.app_secret)
        self._inbound_wamids: set[str] = set()
        self._reporting: set[asyncio.Task[None]] = set()

    def answer_seconds(self) -> float:
        """How long the next answer takes."""
        return random.uniform(*self.behaviour.answer_ms) / 1000  # noqa: S311 - no secret

    def accept(self, message: OutboundMessage, phone_number_id: str, received_at: float) -> Entry:
        """Enter the message into the ledger; from here on it exists, whether or not its sender hears the answer."""
        wamid = outbound_wamid(message.recipient.address)
        entry = Entry(wamid, message, phone_number_id, received_at, accepted_at=time.time())
        self.ledger.add(entry)
        task = asyncio.create_task(self._report_statuses(entry, self.behaviour))
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)
        return entry

    def user_writes(self, inbound: InboundMessage) -> tuple[str, Delivery]:
        """Send the webhook of a user's message; its wamid, and the delivery under way."""
        wamid = inbound_wamid(inbound.user.address)
        self._inbound_wamids.add(wamid)
        message = {"id": wamid, "timestamp": str(int(time.time())), **inbound.content}
        return wamid, self._webhooks.send(inbound_envelope(self.identity, inbound.user, inbound.name, message))

    def has_inbound(self, wamid: str) -> bool:
        """Whether a user sent a message with this id."""
        return wamid in self._inbound_wamids

    async def reset(self) -> None:
        """Back to the state at the start. Sends that wait for their answer are accepted into the empty ledger."""
        self.ledger.clear()
        self.media.clear()
        self._inbound_wamids.clear()
        self.behaviour = self._initial_behaviour
        await self.drop_pending()

    async def drop_pending(self) -> None:
        """Give up all statuses and webhooks under way."""
        for task in list(self._reporting):
            task.cancel()
        await self._webhooks.drop_pending()

    async def _report_statuses(self, entry: Entry, behaviour: Behaviour) -> None:
        for delay_ms, status in sorted(zip(behaviour.status_delays_ms, STATUSES, strict=True), key=lambda due: due[0]):
            if status == "read" and not behaviour.read:
                continue
            await asyncio.sleep(entry.accepted_at + delay_ms / 1000 - time.time())
            at = time.time()
            delivery = self._webhooks.send(status_envelope(self.identity, entry, status, at))
            entry.statuses.append(StatusReport(status, at, delivery))
