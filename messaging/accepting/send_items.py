"""The items of a send request: each is validated, its recipient checked, and accepted or refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rest_framework.exceptions import ValidationError

from messaging.accepting.accept import NewMessage
from messaging.accepting.recipient_checks import RecipientChecks, load_recipient_checks
from messaging.accepting.reply_targets import load_reply_targets
from messaging.accepting.sending_numbers import sending_numbers
from messaging.accepting.serializers import SendSerializer
from messaging.accepting.service_window import WindowClosed, WindowPolicy, window_policy
from messaging.contacts import UNASSIGNED_NUMBER, known_recipients
from messaging.message_templates import NEVER_SYNCED, check_template, load_templates
from messaging.models import ApiClient, Priority
from messaging.whatsapp.outbound import InvalidContent
from messaging.whatsapp.recipients import canonical

HIGH_REFUSED = "This API client may not use the priority high; use normal or low, or have an administrator allow it."


@dataclass(slots=True)
class SendItem:
    """One send body. It is refused once `errors` (by field) is set; else `message` is the message to store."""

    body: Any
    message: NewMessage | None = None
    warnings: list[str] = field(default_factory=list)
    errors: dict[str, Any] | None = None

    def validate(self, serializer: SendSerializer) -> None:
        """Set the message and its warnings, or the errors."""
        try:
            data = serializer.run_validation(self.body)
        except ValidationError as error:
            # A body that is not an object has a list of errors and no field to name.
            self.errors = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        else:
            self.message, self.warnings, self.errors = data["new"], data["warnings"], None

    def refuse(self, name: str, reason: str) -> None:
        """Refuse the item because of this field."""
        self.errors = {name: [reason]}


def check_items(bodies: Sequence[Any], client: ApiClient | None) -> list[SendItem]:
    """Validate every body of this client and check its recipient.

    The number of queries does not depend on the number of bodies.
    """
    items = _validated(bodies)
    for item in items:
        _check_priority(item, client)
    messages = [item.message for item in items if item.message]
    if not messages:
        return items
    _check_templates(items)
    policy = window_policy()
    targets = load_reply_targets(messages)
    unassigned = {canonical(item.message.peer) for item in items if item.message and UNASSIGNED_NUMBER in item.warnings}
    checks = load_recipient_checks(messages, windows=policy is not WindowPolicy.OFF, unassigned=unassigned)
    for item in items:
        if item.message is None or item.errors:
            continue
        try:
            item.message = targets.resolve(item.message)
        except InvalidContent as error:
            item.refuse(error.field, error.message)
        else:
            _check_recipient(item, item.message, checks, policy)
    return items


def _validated(bodies: Sequence[Any]) -> list[SendItem]:
    """Validate the bodies. Refused phone numbers are then looked up, all at once: a number that has written to us can
    be answered, whatever its country's numbering plan says.
    """
    items = [SendItem(body) for body in bodies]
    numbers = sending_numbers(_senders(bodies))
    serializer = SendSerializer.of_this_thread(numbers)
    for item in items:
        item.validate(serializer)
    refused = [item for item in items if item.errors and "phone_number" in item.errors]
    if known := known_recipients(_phone_numbers(item.body for item in refused)):
        serializer = SendSerializer.of_this_thread(numbers, known)
        for item in refused:
            item.validate(serializer)
    return items


def _check_templates(items: Sequence[SendItem]) -> None:
    """Refuse sends that do not fit their templates; one query at most for all of them."""
    sends = [(item, item.message) for item in items if item.message and item.message.template and not item.errors]
    load_templates((message.number.waba_id, message.template) for _, message in sends)
    for item, message in sends:
        try:
            if not check_template(message.number.waba_id, message.content, message.peer):
                item.warnings.append(NEVER_SYNCED)
        except InvalidContent as error:
            item.refuse(error.field, error.message)


def _check_priority(item: SendItem, client: ApiClient | None) -> None:
    is_high = item.message is not None and item.message.priority is Priority.HIGH
    if is_high and client is not None and not client.may_send_high:
        item.refuse("priority", HIGH_REFUSED)


def _check_recipient(item: SendItem, message: NewMessage, checks: RecipientChecks, policy: WindowPolicy) -> None:
    check = checks.check(message)
    item.message = check.message
    if check.refusal:
        item.refuse("phone_number", check.refusal)
        return
    if check.is_known and UNASSIGNED_NUMBER in item.warnings:
        item.warnings.remove(UNASSIGNED_NUMBER)
    if check.window_closed and policy is WindowPolicy.REJECT:
        item.refuse("message_type", str(WindowClosed()))
    elif check.window_closed:
        item.warnings.append(str(WindowClosed()))


def _phone_numbers(bodies: Iterable[Any]) -> list[str]:
    named = [body.get("phone_number") for body in bodies if isinstance(body, dict)]
    return [number for number in named if isinstance(number, str)]


def _senders(bodies: Iterable[Any]) -> set[str | None]:
    """The senders that the bodies name; None for the default one."""
    named = [body.get("sender") for body in bodies if isinstance(body, dict)]
    return {sender.strip() if isinstance(sender, str) else None for sender in named}
