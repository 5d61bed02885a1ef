"""Operator replies: sent with high priority, and once per form, however often the button is pressed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from messaging.accepting import (
    TEMPLATE,
    NewMessage,
    NoConsent,
    WindowClosed,
    WindowPolicy,
    check_recipient,
    draft,
    is_open,
    last_inbound,
    store,
    window_policy,
)
from messaging.access import IdempotentRequest, digest_of, record_action, stored_answer
from messaging.message_templates import check_template
from messaging.models import BusinessNumber, Priority
from messaging.whatsapp import outbound


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to `to`. `peers`: every number and user id of the user. `form_id`: unique per rendered form.

    `data`: the message data as the API takes it.
    """

    number: BusinessNumber
    to: str
    peers: Sequence[str]
    type: str
    data: dict[str, object]
    form_id: str


def send_reply(reply: Reply, account_id: int, who: str) -> UUID:
    """Accept a reply and return its id; the same form again returns the same id.

    Raises InvalidContent, NoConsent, WindowClosed (unless WA_WINDOW_POLICY=off: an operator who sees a closed window
    wants no message that Meta refuses), or IdempotencyKeyReused if the form was sent before with other content.
    """
    digest = digest_of(f"reply {reply.number.pk} {reply.to}", [reply.type, reply.data])
    idempotent = IdempotentRequest(None, f"reply {account_id} {reply.form_id}", digest)
    if (answer := stored_answer(idempotent)) is not None:
        return UUID(json.loads(answer)["id"])
    new = NewMessage(
        reply.to, reply.type, outbound.validate(reply.type, reply.data), reply.number, priority=Priority.HIGH
    )
    if new.template:
        check_template(new.number.waba_id, new.content, new.peer)
    check = check_recipient(new, windows=False)
    if check.refusal:
        raise NoConsent(check.refusal)
    if reply.type != TEMPLATE and window_policy() is not WindowPolicy.OFF and not _window_is_open(reply):
        raise WindowClosed
    row = draft(check.message)
    with transaction.atomic():
        if store([row], idempotent, json.dumps({"id": str(row.id)})):
            record_action(who, "reply", f"message {row.id}")
            return row.id
    # A concurrent request with the same form was first.
    return UUID(json.loads(stored_answer(idempotent) or "{}")["id"])


def _window_is_open(reply: Reply) -> bool:
    now = timezone.now()
    inbound = last_inbound([reply.to, *reply.peers], now)
    return any(is_open(at, now) for (number_id, _), at in inbound.items() if number_id == reply.number.pk)
