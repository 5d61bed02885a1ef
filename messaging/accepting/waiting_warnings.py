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
    if message.campaign and _is_held(HoldKind.CAMPAIGN, {message.campaign}, message):
        warnings.append(f"The campaign {message.campaign} is held: the message waits until it is resumed.")
    if message.template and _is_held(HoldKind.TEMPLATE, {"", message.template}, message):
        warnings.append(f"The template {message.template} is held: the message waits until it is resumed.")
    if _is_held(HoldKind.BUDGET, {"", message.campaign}, message):
        warnings.append("The budget is spent: the message waits until it is raised.")
    if warning := limit_warning(message):
        warnings.append(warning)
    return warnings


def clear_hold_cache() -> None:
    """Make the next call read the database."""
    _cache.clear()


def _is_held(kind: HoldKind, keys: set[str], message: Message) -> bool:
    """Whether a hold with one of these keys covers the message; an empty key covers all campaigns or templates."""
    scopes = [scope for key in keys for scope in _holds().get((kind.value, key), ())]
    if not scopes:
        return False
    language = language_of(message.content) if message.template else ""
    wanted = (message.client_id, message.number_id, message.number.waba_id, language)
    return any(all(given in (None, "", want) for given, want in zip(scope, wanted, strict=True)) for scope in scopes)


def _holds() -> Mapping[tuple[str, str], list[Scope]]:
    cached = _cache.get(None)
    if cached is not None:
        return cached
    holds: dict[tuple[str, str], list[Scope]] = {}
    rows = Hold.objects.filter(resumed_at=None)
    for kind, key, *scope in rows.values_list("kind", "key", "client_id", "number_id", "waba_id", "language"):
        holds.setdefault((kind, key), []).append(tuple(scope))
    return _cache.set(None, holds)
