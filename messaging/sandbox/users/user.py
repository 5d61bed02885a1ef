"""The users that the sandbox plays: a phone number, a business-scoped user id (BSUID), or both."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from .wa_ids import wa_id_of

# E.164 allows 15 digits. Meta also takes a plus, spaces, dashes, dots and brackets.
_PHONE = re.compile(r"\+?[\d\s().-]{1,40}")
_PHONE_DIGITS = range(5, 16)
# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")


@dataclass(frozen=True, slots=True)
class User:
    """A WhatsApp user. ``wa_id`` (digits, in normal form) is None where the business knows only the user id."""

    wa_id: str | None
    user_id: str

    @property
    def address(self) -> str:
        """The user's address: digits, or else the user id."""
        return self.wa_id or self.user_id


def phone_digits(value: object) -> str | None:
    """The digits of what may be a phone number, or None."""
    if not isinstance(value, str) or not _PHONE.fullmatch(value.strip()):
        return None
    digits = re.sub(r"\D", "", value, flags=re.ASCII)
    return digits if digits.isascii() and digits.isdigit() and len(digits) in _PHONE_DIGITS else None


def is_user_id(value: object) -> bool:
    """Whether the value has the form of a BSUID, such as US.13491208655302741918."""
    return isinstance(value, str) and _USER_ID.fullmatch(value) is not None


def user_with_phone(digits: str, user_id: str | None = None) -> User:
    """The user of a phone number in any of its forms; without a BSUID, one that is always the same for the number."""
    wa_id = wa_id_of(digits)
    return User(wa_id, user_id or f"US.{int(hashlib.sha256(wa_id.encode()).hexdigest(), 16) % 10**20:020d}")
