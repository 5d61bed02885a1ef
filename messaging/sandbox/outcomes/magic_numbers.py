"""Recipient numbers that select an outcome: faults without a request beforehand.

They are in the American area code 555, which has no users: +1 555 9 and a code of Meta's, and so on.
"""

from __future__ import annotations

import re

from ..users.user import User
from .outcome import Ending, Outcome, failed_later, refused

# A code has up to six digits, with zeros before it.
_REFUSED = re.compile(r"15559(\d{6})")
_FAILED_LATER = re.compile(r"15558(\d{6})")

# An answer so late that a client with a read timeout of 10 s still gets it, and one that it does not.
_LATE_MS = 8_000
_TOO_LATE_MS = 15_000

BROKEN: dict[str, Outcome] = {
    "15557000001": Outcome(Ending.HANG, accepts=True),
    "15557000002": Outcome(Ending.HANG, accepts=False),
    "15557000003": Outcome(Ending.DROP, accepts=True),
    "15557000004": Outcome(Ending.DROP, accepts=False),
    "15557000005": Outcome(Ending.ERROR, accepts=True),
    "15557000006": Outcome(Ending.ERROR, accepts=False),
    "15557000007": Outcome(slow_ms=_LATE_MS),
    "15557000008": Outcome(slow_ms=_TOO_LATE_MS),
    "15557000009": Outcome(silent=True),
    "15557000010": Outcome(Ending.HANG, accepts=True, silent=True),
}


def outcome_to(user: User) -> Outcome | None:
    """The outcome that the user's number selects; None for other numbers."""
    digits = user.wa_id or ""
    if found := _REFUSED.fullmatch(digits):
        return refused(int(found[1]))
    if found := _FAILED_LATER.fullmatch(digits):
        return failed_later(int(found[1]))
    return BROKEN.get(digits)
