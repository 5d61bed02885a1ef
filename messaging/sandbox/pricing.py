"""Prices of messages by Meta's rules since 1 October 2026: their type and category.

Each delivered message has a price. Service messages are free within a monthly tier of each business number; utility
templates cost inside the customer service window too. A user who comes by an ad opens a free entry point of 72 hours.
https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from .settings import Behaviour
from .users.user import User

ENTRY_POINT_S = 72 * 3600
REGULAR, FREE_SERVICE_TYPE, FREE_ENTRY_POINT = "regular", "free_customer_service", "free_entry_point"
SERVICE, MARKETING_LITE, REFERRAL = "service", "marketing_lite", "referral_conversion"
AUTHENTICATION, AUTHENTICATION_INTERNATIONAL = "authentication", "authentication-international"
# What one message costs in every country, in the account's currency. Invented.
RATES = {
    "marketing": 0.1,
    "marketing_lite": 0.1,
    "utility": 0.05,
    AUTHENTICATION: 0.03,
    AUTHENTICATION_INTERNATIONAL: 0.2,
    SERVICE: 0.01,
}
# Countries with a rate of their own for codes from abroad, by calling code: Egypt, South Africa, Malaysia, Indonesia,
# India, Pakistan, Nigeria, Saudi Arabia, United Arab Emirates.
_INTERNATIONAL = ("20", "27", "60", "62", "91", "92", "234", "966", "971")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A free entry point; it ends at ``expires_at`` (unix seconds)."""

    id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Price:
    """The type and the category of a message's price. ``conversation`` is None but in a free entry point."""

    type: str
    category: str
    conversation: Conversation | None = None

    def as_json(self) -> dict[str, Any]:
        """The ``pricing`` of a status."""
        return {
            "billable": self.type == REGULAR,
            "pricing_model": "PMP",
            "type": self.type,
            "category": self.category,
        }


FREE_SERVICE = Price(FREE_SERVICE_TYPE, SERVICE)


@dataclass(frozen=True, slots=True)
class Sender:
    """A business number: Meta's id of it, and the number itself in digits."""

    phone_number_id: str
    number: str


class Tariff:
    """Counts free messages: service messages of each number and month, and entry points of each user."""

    def __init__(self) -> None:
        self._service_messages: dict[tuple[str, str], int] = {}
        self._entry_points: dict[tuple[str, str], Conversation] = {}

    def user_came_by_ad(self, phone_number_id: str, user: User, now: float) -> None:
        """Open a free entry point; ``now`` is unix seconds."""
        opened = Conversation(secrets.token_hex(16), now + ENTRY_POINT_S)
        self._entry_points[phone_number_id, user.user_id] = opened

    def price_of(self, category: str | None, sender: Sender, user: User, behaviour: Behaviour, now: float) -> Price:
        """The price of a message to a user; ``category`` is that of its template in lower case, None without one.

        ``now`` is unix seconds: the free tier of service messages starts again with each month (UTC).
        """
        entry_point = self._entry_points.get((sender.phone_number_id, user.user_id))
        if entry_point and now < entry_point.expires_at:
            return Price(FREE_ENTRY_POINT, REFERRAL, entry_point)
        if category is None:
            month = time.strftime("%Y-%m", time.gmtime(now))
            sent = self._service_messages.get((sender.phone_number_id, month), 0)
            self._service_messages[sender.phone_number_id, month] = sent + 1
            return FREE_SERVICE if sent < behaviour.free_service_messages else Price(REGULAR, SERVICE)
        if category == AUTHENTICATION and _is_international(sender.number, user):
            return Price(REGULAR, AUTHENTICATION_INTERNATIONAL)
        return Price(REGULAR, category)

    def clear(self) -> None:
        """Reset the counts and the entry points."""
        self._service_messages.clear()
        self._entry_points.clear()


def _is_international(business_number: str, user: User) -> bool:
    country = next((code for code in _INTERNATIONAL if (user.wa_id or "").startswith(code)), None)
    return country is not None and not business_number.startswith(country)
