"""Webhooks of the Cloud API: their signature, their division into pieces, and their normalised content."""

from messaging.whatsapp.inbound.changes import STATUSES
from messaging.whatsapp.inbound.normalise import normalise
from messaging.whatsapp.inbound.updates import (
    Event,
    InboundMessage,
    Normalised,
    Origin,
    Pair,
    Preference,
    Pricing,
    StatusUpdate,
    Unknown,
)

__all__ = [
    "STATUSES",
    "Event",
    "InboundMessage",
    "Normalised",
    "Origin",
    "Pair",
    "Preference",
    "Pricing",
    "StatusUpdate",
    "Unknown",
    "normalise",
]
