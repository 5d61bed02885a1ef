"""Settings of the outgoing lane: retries and unknown outcomes, read at each use; see docs/settings.md."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings

from messaging.outgoing.retry_policy import Limits

# Evidence may be late: an operator alert follows this long after the grace period.
ALERT_AFTER_S = 60.0


@cache
def _limits(max_attempts: int, back_off: tuple[float, ...], waits: tuple[tuple[int, float], ...]) -> Limits:
    return Limits(max_attempts, back_off, dict(waits))


def limits() -> Limits:
    """WA_MAX_ATTEMPTS, WA_BACK_OFF_S and WA_CODE_WAITS."""
    return _limits(settings.WA_MAX_ATTEMPTS, tuple(settings.WA_BACK_OFF_S), tuple(settings.WA_CODE_WAITS.items()))


@dataclass(frozen=True, slots=True)
class UnknownTimeouts:
    """Waiting times for an unknown outcome, in seconds after the end of its attempt."""

    # The earliest resend on evidence; the operator alert; the resend with `on_unknown: resend`.
    grace: float
    alert: float
    resend: float

    @property
    def report_lag(self) -> float:
        """How old Meta's statuses of other messages must be: time in which a status of this one would have followed."""
        return self.grace / 5


def unknown_timeouts() -> UnknownTimeouts:
    """WA_UNKNOWN_GRACE and WA_UNKNOWN_RESEND_AFTER."""
    grace = float(settings.WA_UNKNOWN_GRACE)
    return UnknownTimeouts(grace, grace + ALERT_AFTER_S, float(settings.WA_UNKNOWN_RESEND_AFTER))
