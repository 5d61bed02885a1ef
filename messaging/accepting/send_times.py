"""Send times: the bounds of `send_at` and `expires_at`."""

from datetime import datetime, timedelta

from messaging.whatsapp.outbound import InvalidContent

# Waiting rows cost the dispatcher nothing; a time more than a month ahead is usually a mistake.
MAX_AHEAD = timedelta(days=30)


class InvalidTime(InvalidContent, ValueError):
    """`send_at` or `expires_at` (see `field`) is out of range."""


def check_times(send_at: datetime | None, expires_at: datetime | None, now: datetime) -> None:
    """Raise InvalidTime unless send_at is within 30 days from now and expires_at after that. All are aware."""
    if send_at is not None and send_at < now:
        raise InvalidTime("send_at", "This is in the past. Leave it out to send now.")
    if send_at is not None and send_at > now + MAX_AHEAD:
        raise InvalidTime("send_at", f"This is more than {MAX_AHEAD.days} days ahead.")
    if expires_at is not None and expires_at <= now:
        raise InvalidTime("expires_at", "This is in the past: the message would never be sent.")
    if expires_at is not None and send_at is not None and expires_at <= send_at:
        raise InvalidTime("expires_at", "This is not after send_at: the message would never be sent.")
