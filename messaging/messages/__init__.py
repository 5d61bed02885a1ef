"""The message history: list, detail, search, CSV export, cancel and retry."""

from messaging.messages.search import (
    peers_of,
)
from messaging.messages.summaries import (
    Words,
    preview,
    words_of,
)
from messaging.messages.waiting_reasons import (
    waiting_reason,
)

__all__ = [
    "Words",
    "peers_of",
    "preview",
    "waiting_reason",
    "words_of",
]
