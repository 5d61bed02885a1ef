"""Settings of retries and lost answers, read at each use; see docs/settings.md."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings

from messaging.outgoing.retry_policy import Limits

# While a lost answer can still be settled by evidence that is only late; after that a person is told.
TOLD_AFTER_S = 60.0


@cache
def _limits(max_attempts: int, back_off: tuple[float, ...], waits: tuple[tuple[int, float], ...]) -> Limits:
    return Limits(max_attempts, back_off, dict(waits))


def limits() -> Limits:
    """WA_MAX_ATTEMPTS, WA_BACK_OFF_S and WA_CODE_WAITS."""
    return _limits(settings.WA_MAX_ATTEMPTS, tuple(settings.WA_BACK_OFF_S), tuple(settings.WA_CODE_WAITS.items()))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lost answer is waited for, in seconds after its attempt's end."""

    # Before it may be sent again on evidence; before a person is told; before `on_unknown: resend` sends it again.
    grace: float
    told: float
    resend: float

    @property
    def settle(self) -> float:
        """How old Meta's reports on others must be: time for a report on this message to arrive beside them."""
        return self.grace / 5


def patience() -> Patience:
    """WA_UNKNOWN_GRACE and WA_UNKNOWN_RESEND_AFTER."""
    grace = float(settings.WA_UNKNOWN_GRACE)
    return Patience(grace, grace + TOLD_AFTER_S, float(settings.WA_UNKNOWN_RESEND_AFTER))
