"""Warnings that a message will wait: its number is paused, its campaign or template held, or a limit reached."""

from collections.abc import Mapping
from typing import Any

from messaging.models import Hold, HoldKind, Message
from messaging.portfolios import limit_warning
from messaging.whatsapp.outbound.template import language_of
from waproject.ttl_cache import TtlCache

# As for senders (sending_numbers.CACHED_S), so that requests share one query.
CACHED_S = 1.0
# Client, number, account and language of a hold; each may be empty: all.
Scope = tuple[Any, ...]


# One value: the scopes of all holds by kind and key.
_cache = TtlCache[None, Mapping[tuple[str, str], list[Scope]]](CACHED_S)


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
    _cache.clear()


def _is_held(kind: HoldKind, name: str, message: Message) -> bool:
    holds = _holds().get((kind.value, name))
    if not holds:
        return False
    language = language_of(message.content) if kind is HoldKind.TEMPLATE else ""
    wanted = (message.client_id, message.number_id, message.number.waba_id, language)
    return any(all(given in (None, "", want) for given, want in zip(hold, wanted, strict=True)) for hold in holds)


def _holds() -> Mapping[tuple[str, str], list[Scope]]:
    cached = _cache.get(None)
    if cached is not None:
        return cached
    holds: dict[tuple[str, str], list[Scope]] = {}
    rows = Hold.objects.filter(resumed_at=None)
    for kind, key, *scope in rows.values_list("kind", "key", "client_id", "number_id", "waba_id", "language"):
        holds.setdefault((kind, key), []).append(tuple(scope))
    return _cache.set(None, holds)
