"""The users' phones: their owners, their switches, and the messages written on them. Bounded, in memory.

A phone is *kept* once a message was written on it, it was added to the page, or one of its switches was used. Of all
other recipients only the last few are known, so that a campaign to thousands costs nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from ..delivery import Delivery
from .inbound import DEFAULT_NAME, InboundMessage
from .user import User

MOST_KEPT = 200
MOST_RECENT = 40
MOST_WRITTEN = 200
# What the business may mark as read; each phone keeps fewer.
MOST_KNOWN_WAMIDS = 10_000
# https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators
TYPING_SECONDS = 25.0
STOP, RESUME = "stop", "resume"


@dataclass(slots=True)
class UserMessage:
    """A message from the user: ``content`` is its type, its node and what goes beside; ``at`` is unix seconds."""

    wamid: str
    at: float
    content: dict[str, Any]
    delivery: Delivery
    read: bool = False


@dataclass(slots=True)
class Phone:
    """One user's phone; its ``name`` may be empty. ``on``: it is reached; ``reads``: its user looks at what comes."""

    user: User
    name: str
    on: bool = True
    reads: bool = True
    blocked: bool = False
    marketing: bool = True
    written: deque[UserMessage] = field(default_factory=lambda: deque(maxlen=MOST_WRITTEN))
    typing_until: float = 0.0
    switched: asyncio.Event = field(default_factory=asyncio.Event)

    def switch(self, **switches: bool) -> None:
        """Set switches by name, and resume the messages that wait for them."""
        for name, value in switches.items():
            setattr(self, name, value)
        self.switched.set()
        self.switched = asyncio.Event()


class Phones:
    """All phones by their address: digits, or the user id of a user who shows no number."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Phone] = OrderedDict()
        self._recent: OrderedDict[str, Phone] = OrderedDict()
        # A business may also write to the user id of a user whose number it knows.
        self._by_user_id: dict[str, Phone] = {}
        self._writers: OrderedDict[str, Phone] = OrderedDict()

    def all(self) -> list[Phone]:
        """Stored phones by their latest activity, then the latest recipients."""
        return [*reversed(self._kept.values()), *reversed(self._recent.values())]

    def find(self, address: str) -> Phone | None:
        """The phone at an address, stored or not."""
        return self._kept.get(address) or self._by_user_id.get(address) or self._recent.get(address)

    def keep(self, user: User, name: str = "") -> Phone:
        """The stored phone of this user, created if needed; a given name replaces its name."""
        phone = self.find(user.address) or Phone(user, name)
        phone.name = name or phone.name
        address = phone.user.address
        self._recent.pop(address, None)
        self._kept[address] = self._by_user_id[phone.user.user_id] = phone
        self._kept.move_to_end(address)
        if len(self._kept) > MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            if self._by_user_id.get(oldest.user.user_id) is oldest:  # not a newer phone of the same user
                del self._by_user_id[oldest.user.user_id]
            oldest.switch(on=True, reads=True, blocked=False)
        return phone

    def sent_to(self, user: User) -> None:
        """The business sent something to this user."""
        phone = self.find(user.address)
        if phone is None:
            phone = self._recent[user.address] = Phone(user, "")
            if len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)
        known = self._kept if phone.user.address in self._kept else self._recent
        known.move_to_end(phone.user.address)
        phone.typing_until = 0.0

    def wrote(self, inbound: InboundMessage, wamid: str, delivery: Delivery) -> None:
        """Record a user's message, from the page or POST /_sandbox/inbound."""
        phone = self.keep(inbound.user, "" if inbound.name == DEFAULT_NAME else inbound.name)
        phone.written.append(UserMessage(wamid, time.time(), inbound.content, delivery))
        self._writers[wamid] = phone
        if len(self._writers) > MOST_KNOWN_WAMIDS:
            self._writers.popitem(last=False)

    def business_read(self, wamid: str, typing: bool) -> None:
        """The business marked this message and all before it; with ``typing`` it says that it is writing."""
        phone = self._writers.get(wamid)
        if phone is None:
            return
        if any(message.wamid == wamid for message in phone.written):
            for message in phone.written:
                message.read = True
                if message.wamid == wamid:
                    break
        if typing:
            phone.typing_until = time.time() + TYPING_SECONDS

    async def reaches(self, user: User, status: str, *, arrived: bool) -> bool:
        """Wait until a message gets this status (delivered, read or played) on its phone; False if it never will.

        A user who has blocked the business never gets a message that had not ``arrived`` by then.
        """
        while phone := self.find(user.address):
            if phone.blocked and not arrived:
                return False
            if phone.on and (phone.reads or status == "delivered"):
                return True
            await phone.switched.wait()
        return True

    def clear(self) -> None:
        """Remove everything."""
        for known in (self._kept, self._recent, self._by_user_id, self._writers):
            known.clear()
