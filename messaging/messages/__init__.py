"""The message history: list, detail, search, CSV export, cancel and retry."""

from messaging.messages.filters import (
    TIME_FILTERS,
    CreatedFilterSet,
    one_of,
)
from messaging.messages.pagination import (
    NewestFirst,
)
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
    "TIME_FILTERS",
    "CreatedFilterSet",
    "NewestFirst",
    "Summary",
    "one_of",
    "peers_matching",
    "preview",
    "summarize",
    "waiting_reason",
]
