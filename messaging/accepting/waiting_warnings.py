"""Warnings that a message will wait: its number is paused, its campaign or template held, or a limit reached."""

import time
from dataclasses import dataclass

from messaging.models import Hold, HoldKind, Message
from messaging.portfolios import limit_warning

# As for senders (business_numbers.CACHED_S), so that requests share one query.
CACHED_S = 1.0


@dataclass(slots=True)
class _Cache:
    until: float = 0.0
    holds: frozenset[tuple[str, str, int | None, int | None]] = frozenset()


_cache = _Cache()


def waiting_warnings(message: Message) -> list[str]:
    """The reasons why a drafted message will wait, as of up to CACHED_S ago."""
    warnings = []
    if message.number.paused_at is not None:
        warnings.append(
            f"The number {message.number.phone_number_id} is paused: the message waits until it is resumed."
        )
    for kind, name in ((HoldKind.CAMPAIGN, message.campaign), (HoldKind.TEMPLATE, message.template)):
        if name and _is_held(kind, name, message):
            warnings.append(f"The {kind} {name} is held: the message waits until it is resumed.")
    if any(_is_held(HoldKind.BUDGET, campaign, message) for campaign in {"", message.campaign}):
        warnings.append("The budget is spent: the message waits until it is raised.")
    if warning := limit_warning(message):
        warnings.append(warning)
    return warnings


def clear_hold_cache() -> None:
    """Make the next call read the database."""
    _cache.until = 0.0


def _is_held(kind: HoldKind, name: str, message: Message) -> bool:
    holds = _holds()
    return bool(holds) and any(
        (kind.value, name, client, number) in holds
        for client in (None, message.client_id)
        for number in (None, message.number_id)
    )


def _holds() -> frozenset[tuple[str, str, int | None, int | None]]:
    now = time.monotonic()
    if now >= _cache.until:
        rows = Hold.objects.filter(resumed_at=None).values_list("kind", "key", "client_id", "number_id")
        _cache.holds, _cache.until = frozenset(rows), now + CACHED_S
    return _cache.holds
