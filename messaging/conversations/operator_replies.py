"""Operator replies: high priority on the normal lane, sent once however often the button is pressed."""

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
    check_recipients,
    draft,
    is_open,
    last_inbound,
    store,
    window_policy,
)
from messaging.access import Once, answer_given, digest_of, note
from messaging.models import BusinessNumber, Priority
from messaging.whatsapp import outbound


@dataclass(frozen=True, slots=True)
class Reply:
    """`to` is written to; `peers` are the names under which the user has written. `form_id`: one for each form shown.

    `data` is the message's data as the API takes it.
    """

    number: BusinessNumber
    to: str
    peers: Sequence[str]
    type: str
    data: dict[str, object]
    form_id: str


def reply(given: Reply, account_id: int, who: str) -> UUID:
    """Accept a reply and return its id: the same id when the same form comes again.

    Raises InvalidContent, NoConsent, WindowClosed (unless WA_WINDOW_POLICY=off: a person who looks at a closed window
    wants no message that Meta refuses), or KeyOfAnotherRequest where the form was sent before with other words.
    """
    digest = digest_of(f"reply {given.number.pk} {given.to}", [given.type, given.data])
    once = Once(None, f"reply {account_id} {given.form_id}", digest)
    if (answer := answer_given(once)) is not None:
        return UUID(json.loads(answer)["id"])
    new = NewMessage(
        given.to, given.type, outbound.validate(given.type, given.data), given.number, priority=Priority.HIGH
    )
    (check,) = check_recipients([new], windows=False)
    if check.refusal:
        raise NoConsent(check.refusal)
    if given.type != TEMPLATE and window_policy() is not WindowPolicy.OFF and not _window_is_open(given):
        raise WindowClosed
    (row,) = draft([check.message])
    with transaction.atomic():
        if store([row], once, json.dumps({"id": str(row.id)})):
            note(who, "reply", f"message {row.id}")
            return row.id
    # Another request with this form was faster.
    return UUID(json.loads(answer_given(once) or "{}")["id"])


def _window_is_open(given: Reply) -> bool:
    now = timezone.now()
    wrote = last_inbound([given.to, *given.peers], now)
    return any(is_open(at, now) for (number_id, _), at in wrote.items() if number_id == given.number.pk)
