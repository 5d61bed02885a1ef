"""Warnings that an accepted message waits: its number is paused, or its campaign or template is held."""

import time
from dataclasses import dataclass

from messaging.models import Hold, HoldKind, Message

# As old as a sender's row may be (business_numbers.REMEMBERED_S): a warning costs no query for each request.
KNOWN_FOR_S = 1.0


@dataclass(slots=True)
class _Known:
    until: float = 0.0
    holds: frozenset[tuple[str, str, int | None, int | None]] = frozenset()


_known = _Known()


def waiting_warnings(message: Message) -> list[str]:
    """Why a drafted message, with its number, will wait; as it was up to a second ago."""
    found = []
    if message.number.paused_at is not None:
        found.append(f"The number {message.number.phone_number_id} is paused: the message waits until it is resumed.")
    for kind, name in ((HoldKind.CAMPAIGN, message.campaign), (HoldKind.TEMPLATE, message.template)):
        if name and _is_held(kind, name, message):
            found.append(f"The {kind} {name} is held: the message waits until it is resumed.")
    return found


def forget_holds() -> None:
    """Ask the database again at the next call."""
    _known.until = 0.0


def _is_held(kind: HoldKind, name: str, message: Message) -> bool:
    holds = _holds()
    return bool(holds) and any(
        (kind.value, name, client, number) in holds
        for client in (None, message.client_id)
        for number in (None, message.number_id)
    )


def _holds() -> frozenset[tuple[str, str, int | None, int | None]]:
    now = time.monotonic()
    if now >= _known.until:
        rows = Hold.objects.filter(resumed_at=None).values_list("kind", "key", "client_id", "number_id")
        _known.holds, _known.until = frozenset(rows), now + KNOWN_FOR_S
    return _known.holds
