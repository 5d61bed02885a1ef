"""The state of the business account: its facts, its numbers, its token and its subscriptions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from .settings import Identity, InputError

JSON = dict[str, Any]
MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"
PORTFOLIO_ID = "2729063490586005"


@dataclass(frozen=True, slots=True)
class Account:
    """The WABA's facts. ``ban_state`` is one of Meta's: REINSTATE, SCHEDULE_FOR_DISABLE, DISABLE."""

    name: str = "Sandbox Ltd."
    currency: str = "USD"
    timezone_id: str = "1"
    country: str = "US"
    account_review_status: str = "APPROVED"
    business_verification_status: str = "verified"
    ban_state: str = "REINSTATE"

    @property
    def is_disabled(self) -> bool:
        """Whether Meta has disabled the account, or has rejected it in its review: it sends nothing then."""
        return self.ban_state == "DISABLE" or self.account_review_status == "REJECTED"


@dataclass(frozen=True, slots=True)
class Number:
    """A business number's facts. ``pin`` is that of two-step verification; empty: none is set yet."""

    verified_name: str = "Sandbox"
    quality_rating: str = "GREEN"
    status: str = "CONNECTED"
    code_verification_status: str = "VERIFIED"
    name_status: str = "APPROVED"
    account_mode: str = "LIVE"
    registered: bool = True
    pin: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """The access token's facts. ``expires_at`` is in Unix seconds; 0: never."""

    is_valid: bool = True
    expires_at: int = 0
    scopes: tuple[str, ...] = (MANAGEMENT, MESSAGING)

    def is_usable(self, now: float) -> bool:
        """Whether Meta accepts the token at this time."""
        return self.is_valid and (not self.expires_at or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Callback:
    """The app's subscription to webhooks of WhatsApp accounts."""

    url: str
    fields: tuple[str, ...]


Facts = TypeVar("Facts", Account, Number, Token)


@dataclass(slots=True)
class AccountState:
    """All of it."""

    identity: Identity
    account: Account = field(default_factory=Account)
    token: Token = field(default_factory=Token)
    callback: Callback | None = None
    # Whether the app gets the account's webhooks.
    subscribed: bool = True
    _numbers: dict[str, Number] = field(default_factory=dict)

    def number(self, phone_number_id: str) -> Number:
        """The facts of one of the account's numbers."""
        return self._numbers.get(phone_number_id, Number())

    def change_number(self, phone_number_id: str, **changes: Any) -> None:
        """Replace some facts of a number."""
        self._numbers[phone_number_id] = replace(self.number(phone_number_id), **changes)

    def change(self, given: Mapping[str, Any]) -> None:
        """Apply ``{"account"?, "token"?, "subscribed"?, "numbers"?: {id: {...}}}``. Raises InputError."""
        if unknown := given.keys() - {"account", "token", "subscribed", "numbers"}:
            raise InputError(min(unknown), "no such key; there are account, numbers, subscribed, token")
        numbers = given.get("numbers", {})
        if not isinstance(numbers, dict) or not all(map(self.identity.has, numbers)):
            raise InputError("numbers", "must be an object by the ids of the account's numbers")
        account = _changed(self.account, given.get("account", {}), "account")
        token = _changed(self.token, given.get("token", {}), "token")
        changed = {id_: _changed(self.number(id_), facts, f"numbers.{id_}") for id_, facts in numbers.items()}
        subscribed = given.get("subscribed", self.subscribed)
        if not isinstance(subscribed, bool):
            raise InputError("subscribed", "must be true or false")
        self.account, self.token, self.subscribed = account, token, subscribed
        self._numbers |= changed

    def as_json(self) -> JSON:
        """The shape of GET /_sandbox/account, without pins."""
        ids = (self.identity.phone_number_id, *self.identity.other_numbers)
        return {
            "account": _facts(self.account),
            "token": _facts(self.token),
            "subscribed": self.subscribed,
            "numbers": {id_: _facts(self.number(id_)) for id_ in ids},
        }

    def clear(self) -> None:
        """Restore the initial facts. The app's webhook subscription stays: it is part of how the app is set up."""
        self.account, self.token, self.subscribed = Account(), Token(), True
        self._numbers.clear()

    def token_is_usable(self) -> bool:
        """Whether Meta accepts the token now."""
        return self.token.is_usable(time.time())


def _changed(facts: Facts, given: object, place: str) -> Facts:
    if not isinstance(given, dict):
        raise InputError(place, "must be an object")
    current = {each.name: getattr(facts, each.name) for each in fields(facts)}
    changes: JSON = {}
    for name, value in given.items():
        if name not in current:
            raise InputError(f"{place}.{name}", f"no such key; there are {', '.join(sorted(current))}")
        if not _is_alike(value, current[name]):
            raise InputError(f"{place}.{name}", "is of the wrong type")
        changes[name] = tuple(value) if isinstance(value, list) else value
    return replace(facts, **changes)


def _is_alike(value: object, current: object) -> bool:
    """Whether JSON has the type of a fact; a tuple of strings comes as a list."""
    if isinstance(current, tuple):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return type(value) is type(current)


def _facts(facts: Account | Number | Token) -> JSON:
    values = {each.name: getattr(facts, each.name) for each in fields(facts) if each.name != "pin"}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
