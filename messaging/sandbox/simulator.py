"""The simulated business number: accepts sends, reports their statuses, lets users write."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from .envelopes import failed_envelope, inbound_envelope, preference_envelope, status_envelope
from .faults import Faults
from .inbound import InboundMessage
from .ledger import Entry, Ledger, StatusReport
from .limits import Limits
from .magic_numbers import outcome_to
from .media import MediaLibrary
from .outcomes import ACCEPTED, Outcome
from .phone.phones import Phones
from .settings import STATUSES, Behaviour, Identity
from .users import User
from .validation import OutboundMessage
from .wamid import inbound_wamid, outbound_wamid
from .webhook_disorder import DisorderlySender
from .webhooks import Delivery, WebhookSender
from .windows import Windows


class Simulator:
    """All of the sandbox's state. Made and used inside a running event loop."""

    def __init__(self, identity: Identity, behaviour: Behaviour) -> None:
        self.identity = identity
        self.behaviour = behaviour
        self.ledger = Ledger()
        self.faults = Faults()
        self.phones = Phones()
        self.media = MediaLibrary(identity.app_secret)
        self._limits = Limits()
        self._windows = Windows()
        self._initial_behaviour = behaviour
        sender = WebhookSender(identity.webhook_url, identity.app_secret)
        self._webhooks = DisorderlySender(sender, lambda: self.behaviour)
        self._inbound_wamids: set[str] = set()
        self._reporting: set[asyncio.Task[None]] = set()

    def answer_seconds(self, outcome: Outcome = ACCEPTED) -> float:
        """How long the answer of a call takes that ends so."""
        if outcome.slow_ms is not None:
            return outcome.slow_ms / 1000
        return random.uniform(*self.behaviour.answer_ms) / 1000  # noqa: S311 - no secret

    def outcome_of(self, message: OutboundMessage, phone_number_id: str) -> Outcome:
        """How a call ends, asked once for each. Raises GraphError when it is over one of Meta's limits."""
        now = time.monotonic()
        self._limits.take(phone_number_id, message.recipient, self.behaviour, now)
        return (
            self.faults.outcome_of(message, phone_number_id)
            or outcome_to(message.recipient)
            or self._windows.outcome_of(message, phone_number_id, self.behaviour, now)
            or ACCEPTED
        )

    def accept(
        self, message: OutboundMessage, phone_number_id: str, received_at: float, outcome: Outcome = ACCEPTED
    ) -> Entry:
        """Enter the message into the ledger; from here on it exists, whether or not its sender hears the answer."""
        wamid = outbound_wamid(message.recipient.address)
        entry = Entry(wamid, message, phone_number_id, received_at, accepted_at=time.time())
        self.ledger.add(entry)
        self.phones.sent_to(message.recipient)
        if outcome.silent:
            return entry
        reports = (
            self._report_statuses(entry, self.behaviour)
            if outcome.failure is None
            else self._report_failure(entry, self.behaviour, outcome.failure)
        )
        task = asyncio.create_task(reports)
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)
        return entry

    def user_writes(self, inbound: InboundMessage) -> tuple[str, Delivery]:
        """Send the webhook of a user's message; its wamid, and the delivery under way."""
        now, number = time.monotonic(), self.identity.phone_number_id
        self._limits.count_inbound(number, self.behaviour, now)
        self._windows.user_wrote(number, inbound.user, now)
        wamid = inbound_wamid(inbound.user.address)
        self._inbound_wamids.add(wamid)
        message = {"id": wamid, "timestamp": str(int(time.time())), **inbound.content}
        delivery = self._webhooks.send(inbound_envelope(self.identity, inbound.user, inbound.name, message))
        self.phones.wrote(inbound, wamid, delivery)
        return wamid, delivery

    def user_prefers(self, user: User, name: str, marketing: str) -> Delivery:
        """Send the webhook of a user who says ``stop`` or ``resume`` to marketing."""
        return self._webhooks.send(preference_envelope(self.identity, user, name, marketing, time.time()))

    def has_inbound(self, wamid: str) -> bool:
        """Whether a user sent a message with this id."""
        return wamid in self._inbound_wamids

    async def reset(self) -> None:
        """Back to the state at the start. Sends that wait for their answer are accepted into the empty ledger."""
        for state in (self.ledger, self.faults, self.media, self.phones, self._limits, self._windows):
            state.clear()
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
            if not await self.phones.reaches(entry.message.recipient, status):
                return
            at = time.time()
            self._report(entry, status, at, status_envelope(self.identity, entry, status, at))

    async def _report_failure(self, entry: Entry, behaviour: Behaviour, code: int) -> None:
        """In the place of ``sent``."""
        await asyncio.sleep(entry.accepted_at + behaviour.status_delays_ms[0] / 1000 - time.time())
        at = time.time()
        self._report(entry, "failed", at, failed_envelope(self.identity, entry, code, at))

    def _report(self, entry: Entry, status: str, at: float, envelope: dict[str, Any]) -> None:
        entry.statuses.append(StatusReport(status, at, self._webhooks.send(envelope)))
