"""The message history: list, detail, search, CSV export, cancel and retry."""

from messaging.messages.search import (
    peers_matching,
)
from messaging.messages.summaries import (
    Summary,
    preview,
    summarize,
)
from messaging.messages.waiting_reasons import (
    waiting_reason,
)

__all__ = [
    "Summary",
    "peers_matching",
    "preview",
    "summarize",
    "waiting_reason",
]
