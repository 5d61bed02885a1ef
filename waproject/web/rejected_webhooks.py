"""The last webhook that this process has rejected, until it is recorded.

The database may be down at that moment, so a later webhook records it: a status that only Meta holds must not count as
one that never existed.
"""

import threading
from datetime import UTC, datetime

PATH = "/webhook/whatsapp"

_lock = threading.Lock()
_rejected_at: datetime | None = None


def note_rejection(path: str = PATH) -> None:
    """Note that a request to this path was answered with an error now, if it may have been a webhook.

    Also at the start of a web process: the one before may have ended between a rejection and its next webhook.
    """
    if path == PATH:
        keep_rejection(datetime.now(UTC))


def take_rejection() -> datetime | None:
    """The time of the last rejection, to record it; None if there is none. The caller keeps it if that fails."""
    global _rejected_at
    if _rejected_at is None:
        return None
    with _lock:
        taken, _rejected_at = _rejected_at, None
    return taken


def keep_rejection(at: datetime) -> None:
    """Keep a rejection until it is recorded; a later one stays."""
    global _rejected_at  # noqa: PLW0603 - of this process
    with _lock:
        _rejected_at = max(at, _rejected_at or at)
