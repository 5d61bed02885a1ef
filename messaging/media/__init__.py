"""Media files of messages: recorded with the message, downloaded, stored, served."""

from messaging.media.records import (
    expect_media,
    media_of,
    storage,
)

__all__ = [
    "expect_media",
    "media_of",
    "storage",
]
