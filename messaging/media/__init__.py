"""Media files of messages: recorded with the message, downloaded, stored, served."""

from messaging.media.records import (
    REMOVE_FILES,
    expect_media,
    media_of,
    storage,
)

__all__ = [
    "REMOVE_FILES",
    "expect_media",
    "media_of",
    "storage",
]
