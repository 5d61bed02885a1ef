"""The simulated business account: it accepts sends, reports their statuses, and lets users write."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import Any

from .account import AccountState
from .checks.send import OutboundMessage
from .delivery import Delivery, unsent
from .ledger import Entry, Ledger, StatusReport
from .media.library import MediaLibrary
from .outcomes.faults import Faults
from .outcomes.limits import Limits
from .outcomes.magic_numbers import outcome_to
from .outcomes.outcome import ACCEPTED, Outcome, failed_later
from .outcomes.references import check_files, check_reaction, check_recipient, template_of
from .outcomes.windows import Windows
from .pricing import MARKETING_LITE, Price, Sender, Tariff
from .settings import Behaviour, Identity, Verdict, messaging_tier
from .templates.catalogue import CATALOGUE
from .templates.edit_limits import EditLimits
from .templates.pacing import DROPPED, Assessment, PacedTemplates
from .templates.store import Category, Status, Template, Templates
from .users.inbound import InboundMessage
from .users.phones import Phones
from .users.user import User
from .wamid import inbound_wamid, outbound_wamid
from .webhooks.envelopes import (
    account_envelope,
    failed_envelope,
    inbound_envelope,
    preference_envelope,
    status_envelope,
    template_status_envelope,
)
from .webhooks.reordering import ReorderingSender
from .webhooks.sender import WebhookSender
from .webhooks.status_plan import ARRIVED, DELIVERED, FAILED, SENT, Planned, is_reported, plan_of

STOPPED_MARKETING = 131050


class Simulator:
    """All of the sandbox's state. Made and used inside a running event loop."""

    def __init__(self, identity: Identity, behaviour: Behaviour) -> None:
        self.identity = identity
        self.behaviour = behaviour
        self.ledger = Ledger()
        self.faults = Faults()
        self.phones = Phones()
        self.media = MediaLibrary(identity.app_secret)
        self.templates = Templates(CATALOGUE)
        self.template_edits = EditLimits()
        self.pacing = PacedTemplates()
        self.account = AccountState(identity)
        self._tariff = Tariff()
        self._limits = Limits()
        self._windows = Windows()
        self._initial_behaviour = behaviour
        sender = WebhookSender(identity.webhook_url, identity.app_secret)
        self._webhooks = ReorderingSender(sender, lambda: self.behaviour)
        # When each message of a user was written.
        self._inbound_at: dict[str, float] = {}
        self._running: set[asyncio.Task[None]] = set()

    def outcome_of(self, message: OutboundMessage, phone_number_id: str) -> Outcome:
        """The outcome of a call; ask once for each call.

        Raises GraphError when the message refers to what does not exist, or is over one of Meta's limits.
        """
        now, behaviour = time.monotonic(), self.behaviour
        check_recipient(message, self.identity.display_phone_number)
        check_reaction(message, self._sent_at, time.time())
        template = template_of(message, self.templates)
        unusable_file = check_files(message, self.media, phone_number_id)
        window_open = self._windows.is_open(message.recipient, phone_number_id, behaviour, now)
        self._limits.take(phone_number_id, message.recipient, behaviour, now, window_open=window_open)
        outcome = (
            self.faults.outcome_of(message, phone_number_id)
            or outcome_to(message.recipient)
            or self._windows.outcome_of(message, phone_number_id, behaviour, now)
            or self._stopped_marketing(message, template)
            or unusable_file
            or ACCEPTED
        )
        if outcome.accepts and not window_open:
            self._limits.open(message.recipient, now)
        return outcome

    def _stopped_marketing(self, message: OutboundMessage, template: Template | None) -> Outcome | None:
        """The outcome of a marketing template to a user who has stopped marketing; None for all others."""
        if template is None or template.category is not Category.MARKETING:
            return None
        phone = self.phones.find(message.recipient.address)
        return None if phone is None or phone.marketing else failed_later(STOPPED_MARKETING)

    def opened_users(self) -> int:
        """How many users count against the messaging limit of the portfolio."""
        return self._limits.opened_users(time.monotonic())

    def change_behaviour(self, changes: dict[str, Any]) -> None:
        """Change settings. Meta announces a new messaging limit. Raises InputError."""
        before, self.behaviour = self.behaviour, self.behaviour.changed(changes)
        if self.behaviour.messaging_limit != before.messaging_limit:
            value = {"max_daily_conversations_per_business": messaging_tier(self.behaviour)}
            self.account_changed("business_capability_update", {**value, "max_phone_numbers_per_waba": 25}, time.time())

    async def answer(
        self, message: OutboundMessage, phone_number_id: str, received_at: float, outcome: Outcome
    ) -> Entry | None:
        """Wait for the answer time; returns the ledger's entry, None where the outcome does not accept the message.

        Usually Meta accepts a message when it answers. The webhook of its first status may overtake the answer.
        """
        seconds = self._answer_seconds(outcome)
        overtaken = random.random() < self.behaviour.status_before_answer  # noqa: S311 - no secret
        if outcome.accepts and overtaken and not outcome.silent:
            entry = self._enter(message, phone_number_id, received_at, outcome)
            if entry.assessment is not None:  # nothing is reported before its end
                self._start_reports(entry, self._plan(entry))
                await asyncio.sleep(seconds)
                return entry
            first, *others = self._plan(entry)
            self._start_reports(entry, others)
            await self._report(entry, first.status).tried.wait()
            await asyncio.sleep(seconds)
            return entry
        await asyncio.sleep(seconds)
        return self.accept(message, phone_number_id, received_at, outcome) if outcome.accepts else None

    def accept(
        self, message: OutboundMessage, phone_number_id: str, received_at: float, outcome: Outcome = ACCEPTED
    ) -> Entry:
        """Add the message to the ledger: it counts as accepted, whether or not the client gets the answer."""
        entry = self._enter(message, phone_number_id, received_at, outcome)
        if not outcome.silent:
            self._start_reports(entry, self._plan(entry))
        return entry

    def user_writes(self, inbound: InboundMessage) -> tuple[str, Delivery]:
        """Send the webhook of a user's message; its wamid, and the delivery under way."""
        now, number = time.monotonic(), self.identity.phone_number_id
        self._limits.count_inbound(number, self.behaviour, now)
        self._windows.user_wrote(number, inbound.user, now)
        if "referral" in inbound.content:
            self._tariff.user_came_by_ad(number, inbound.user, time.time())
        wamid = inbound_wamid(inbound.user.address)
        self._inbound_at[wamid] = time.time()
        message = {"id": wamid, "timestamp": str(int(time.time())), **inbound.content}
        delivery = self._send(inbound_envelope(self.identity, inbound.sender, inbound.name, message))
        self.phones.wrote(inbound, wamid, delivery)
        return wamid, delivery

    def template_changed(self, template: Template, event: str = "") -> Delivery:
        """Send the webhook of a template's new status, or of another event."""
        return self._send(template_status_envelope(self.identity, template, time.time(), event))

    def account_changed(self, field: str, value: dict[str, Any], at: float) -> Delivery:
        """Send the webhook of a field that is about the account; ``at`` is in Unix seconds."""
        return self._send(account_envelope(self.identity, field, value, at))

    def review_later(self, template: Template) -> None:
        """Give a template its verdict after the time of a review, and send the webhook of it."""
        self._start(self._review(template.id, self.behaviour))

    def user_prefers(self, user: User, name: str, marketing: str) -> Delivery:
        """Send the webhook of a user who says ``stop`` or ``resume`` to marketing."""
        return self._send(preference_envelope(self.identity, user, name, marketing, time.time()))

    def has_inbound(self, wamid: str) -> bool:
        """Whether a user sent a message with this id."""
        return wamid in self._inbound_at

    def _sent_at(self, wamid: str) -> float | None:
        return self.ledger.accepted_at(wamid) or self._inbound_at.get(wamid)

    async def reset(self) -> None:
        """Restore the initial state. Sends that wait for their answer are accepted into the empty ledger.

        Returns once no webhook of before is on its way: at most as long as an attempt may take.
        """
        for state in (
            *(self.ledger, self.faults, self.media, self.phones, self.templates, self.template_edits, self.account),
            self.pacing,
            *(self._limits, self._windows, self._tariff),
        ):
            state.clear()
        self._inbound_at.clear()
        self.behaviour = self._initial_behaviour
        await self.drop_pending()

    async def drop_pending(self, seconds: float | None = None) -> None:
        """Cancel all pending statuses and webhooks; waits this long, or to their end, for attempts that have begun."""
        for task in list(self._running):
            task.cancel()
        await self._webhooks.drop_pending(seconds)

    def _answer_seconds(self, outcome: Outcome) -> float:
        if outcome.slow_ms is not None:
            return outcome.slow_ms / 1000
        return random.uniform(*self.behaviour.answer_ms) / 1000  # noqa: S311 - no secret

    def _enter(self, message: OutboundMessage, phone_number_id: str, received_at: float, outcome: Outcome) -> Entry:
        wamid, price = outbound_wamid(message.recipient.address), self._price_of(message, phone_number_id)
        entry = Entry(
            wamid, message, phone_number_id, received_at, accepted_at=time.time(), price=price, failure=outcome.failure
        )
        entry.assessment = self._assessment_of(message)
        self.ledger.add(entry)
        self.phones.sent_to(message.recipient)
        return entry

    def _assessment_of(self, message: OutboundMessage) -> Assessment | None:
        """The assessment that holds this message; the first message of one starts it."""
        template = self.templates.find(message.body["template"]) if message.type == "template" else None
        if template is None:
            return None
        assessment, begins = self.pacing.take(template)
        if assessment is not None and begins:
            self._start(self._assess(template, assessment))
        return assessment

    async def _assess(self, template: Template, assessment: Assessment) -> None:
        await asyncio.sleep(assessment.pacing.hold_ms / 1000)
        if assessment.drops and self.templates.with_id(template.id) is not None:
            given = {"name": template.name, "language": template.language, "status": str(Status.PAUSED)}
            self.template_changed(self.templates.put(given)[0])
        self.pacing.end(template, assessment)

    def _price_of(self, message: OutboundMessage, phone_number_id: str) -> Price:
        template = self.templates.find(message.body["template"]) if message.type == "template" else None
        category = template.category.lower() if template else None
        if message.marketing:
            category = MARKETING_LITE
        sender = Sender(phone_number_id, self.identity.display_phone_number)
        return self._tariff.price_of(category, sender, message.recipient, self.behaviour, time.time())

    def _plan(self, entry: Entry) -> list[Planned]:
        message = entry.message
        plan = plan_of(message.type, message.body.get(message.type), self.behaviour, entry.failure)
        entry.delivered_is_left_out = all(planned.status != DELIVERED for planned in plan)
        return plan

    def _start_reports(self, entry: Entry, plan: list[Planned]) -> None:
        self._start(self._report_all(entry, plan))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _review(self, template_id: str, behaviour: Behaviour) -> None:
        await asyncio.sleep(behaviour.template_review_ms / 1000)
        template = self.templates.with_id(template_id)
        if template is not None and behaviour.template_verdict != Verdict.PENDING:
            given = {"name": template.name, "language": template.language, "status": str(behaviour.template_verdict)}
            self.template_changed(self.templates.put(given)[0])

    def _send(self, payload: dict[str, Any]) -> Delivery:
        """Send a webhook, unless the app is not subscribed to the account."""
        if self.account.subscribed:
            return self._webhooks.send(payload)
        return unsent()

    async def _report_all(self, entry: Entry, plan: list[Planned]) -> None:
        arrived, begun_at = False, entry.accepted_at
        if entry.assessment is not None:
            await entry.assessment.over.wait()
            begun_at = time.time()
            if entry.assessment.drops:
                entry.failure, plan = DROPPED, [Planned(FAILED, 0)]
        for planned in plan:
            await asyncio.sleep(begun_at + planned.after_ms / 1000 - time.time())
            if planned.status not in {SENT, FAILED}:
                if not await self.phones.reaches(entry.message.recipient, planned.status, arrived=arrived):
                    return
                arrived = True
            self._report(entry, planned.status)

    def _report(self, entry: Entry, status: str) -> Delivery:
        at = time.time()
        entry.arrived = entry.arrived or status in ARRIVED
        if not is_reported(entry.message.type, status):
            return unsent()
        envelope = (
            failed_envelope(self.identity, entry, entry.failure, at)
            if status == FAILED and entry.failure is not None
            else status_envelope(self.identity, entry, status, at)
        )
        delivery = self._send(envelope)
        entry.statuses.append(StatusReport(status, at, delivery))
        return delivery
