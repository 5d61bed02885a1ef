"""The messaging limit of a business portfolio, as Meta words it.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits
"""

import re
from dataclasses import dataclass

UNLIMITED = "TIER_UNLIMITED"
_TIER = re.compile(r"TIER_([0-9]{1,9})(K?)")
_THOUSAND = 1000
_LARGEST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MessagingLimit:
    """Users that may be messaged within a moving 24 hours outside of their customer service windows.

    `tier` is Meta's word for it, such as TIER_2K. `users` None: no limit.
    """

    tier: str
    users: int | None


def messaging_limit(given: object) -> MessagingLimit | None:
    """The limit that Meta names, as a tier or as a number (-1: no limit); None if it names none, or not yet."""
    if isinstance(given, bool):
        return None
    if isinstance(given, int):
        return _of_number(given)
    if not isinstance(given, str):
        return None
    if given == UNLIMITED:
        return MessagingLimit(UNLIMITED, None)
    if re.fullmatch(r"-1|[0-9]{1,10}", given):
        return _of_number(int(given))
    found = _TIER.fullmatch(given)
    return MessagingLimit(given, int(found[1]) * (_THOUSAND if found[2] else 1)) if found and int(found[1]) else None


def _of_number(users: int) -> MessagingLimit | None:
    if users == -1:
        return MessagingLimit(UNLIMITED, None)
    if not 0 < users <= _LARGEST:
        return None
    thousands, rest = divmod(users, _THOUSAND)
    return MessagingLimit(f"TIER_{users}" if rest else f"TIER_{thousands}K", users)
