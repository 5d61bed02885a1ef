"""The delivery of one webhook, as the ledger keeps it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Delivery:
    """The delivery of one webhook; ``http_status`` is the last answer's, None if the last attempt got none."""

    body: bytes
    attempts: int = 0
    http_status: int | None = None
    acknowledged_at: float | None = None
    tried: asyncio.Event = field(default_factory=asyncio.Event)


def unsent() -> Delivery:
    """In the place of a webhook that Meta does not send."""
    delivery = Delivery(b"")
    delivery.tried.set()
    return delivery
