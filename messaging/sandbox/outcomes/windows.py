"""The customer service window: free-form messages go to a user for 24 hours after they wrote, templates always.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from ..checks.send import OutboundMessage
from ..settings import Behaviour, WindowRule
from ..users.user import User
from .outcome import Outcome, failed_later, refused

CLOSED_CODE = 131047


class Windows:
    """When each user last wrote to each number, in seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._wrote: dict[tuple[str, str], float] = {}

    def user_wrote(self, phone_number_id: str, user: User, now: float) -> None:
        """Open the window, or keep it open. A user is known by phone number and by user id."""
        for name in filter(None, (user.wa_id, user.user_id)):
            self._wrote[phone_number_id, name] = now

    def outcome_of(
        self, message: OutboundMessage, phone_number_id: str, behaviour: Behaviour, now: float
    ) -> Outcome | None:
        """The outcome of a free-form message outside of the window; None for all others."""
        if behaviour.window == WindowRule.OFF or message.type == "template":
            return None
        if self.is_open(message.recipient, phone_number_id, behaviour, now):
            return None
        return refused(CLOSED_CODE) if behaviour.window == WindowRule.REFUSE else failed_later(CLOSED_CODE)

    def is_open(self, user: User, phone_number_id: str, behaviour: Behaviour, now: float) -> bool:
        """Whether the window of this user and number is open."""
        wrote = self._wrote.get((phone_number_id, user.address))
        return wrote is not None and now - wrote < behaviour.window_seconds

    def clear(self) -> None:
        """Close all windows."""
        self._wrote.clear()
