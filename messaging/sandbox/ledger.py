"""The ledger of accepted sends, in memory: evidence that is independent of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .checks.send import OutboundMessage
from .delivery import Delivery
from .pricing import FREE_SERVICE, Price
from .templates.pacing import Assessment
from .users.user import phone_digits
from .users.wa_ids import wa_id_of


@dataclass(slots=True)
class StatusReport:
    """One status of a message, made ``at`` (unix seconds), and its webhook."""

    status: str
    at: float
    delivery: Delivery

    def as_json(self) -> dict[str, Any]:
        """``acknowledged_at`` (unix seconds) is null until the webhook was answered 200."""
        return {
            "status": self.status,
            "at": self.at,
            "attempts": self.delivery.attempts,
            "acknowledged_at": self.delivery.acknowledged_at,
        }


@dataclass(slots=True)
class Entry:
    """An accepted send; times are unix seconds. The request came at ``received_at``."""

    wamid: str
    message: OutboundMessage
    phone_number_id: str
    received_at: float
    accepted_at: float
    statuses: list[StatusReport] = field(default_factory=list)
    price: Price = FREE_SERVICE
    # The code with which it fails, for one that does.
    failure: int | None = None
    # Whether `delivered` is left out, because `read` implies it.
    delivered_is_left_out: bool = False
    # Whether it is on the user's phone. Of most messages a status says so too.
    arrived: bool = False
    # The assessment of its template that holds it, also once that is over.
    assessment: Assessment | None = None

    @property
    def is_held(self) -> bool:
        """Whether it waits for the assessment of its template."""
        return self.assessment is not None and not self.assessment.over.is_set()

    def as_json(self) -> dict[str, Any]:
        """One element of ``messages`` in GET /_sandbox/ledger.

        ``to`` is digits, or the user id; ``marketing``: it came by the Marketing Messages API.
        """
        return {
            "wamid": self.wamid,
            "to": self.message.recipient.address,
            "type": self.message.type,
            "biz_opaque_callback_data": self.message.callback_data,
            "phone_number_id": self.phone_number_id,
            "marketing": self.message.marketing,
            "received_at": self.received_at,
            "accepted_at": self.accepted_at,
            "statuses": [report.as_json() for report in self.statuses],
            "body": self.message.body,
        }


class Ledger:
    """Entries in the order of acceptance."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_address: dict[str, list[Entry]] = {}
        self._accepted_at: dict[str, float] = {}

    def add(self, entry: Entry) -> None:
        """Record an accepted send."""
        self._entries.append(entry)
        self._accepted_at[entry.wamid] = entry.accepted_at
        self._by_address.setdefault(entry.message.recipient.address, []).append(entry)

    def find(self, to: str | None = None, callback_data: str | None = None) -> list[Entry]:
        """The entries to this recipient (a phone number in any form, or a user id) and with this callback data."""
        digits = phone_digits(to)
        address = wa_id_of(digits) if digits else to
        return [
            entry
            for entry in (self._entries if address is None else self._by_address.get(address, []))
            if (callback_data is None or entry.message.callback_data == callback_data)
        ]

    def accepted_at(self, wamid: str) -> float | None:
        """When the send with this id was accepted, in Unix seconds; None where there is none."""
        return self._accepted_at.get(wamid)

    def newest_to(self, address: str, most: int) -> list[Entry]:
        """The last entries to this recipient (digits or a user id), oldest first."""
        return self._by_address.get(address, [])[-most:]

    def clear(self) -> None:
        """Remove everything."""
        self._entries.clear()
        self._by_address.clear()
        self._accepted_at.clear()
