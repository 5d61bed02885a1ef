"""The normalised content of webhooks: messages, statuses, preferences, events, and unknown parts unchanged.

Each keeps its piece of the JSON as `raw`. Texts can be stored as they are (see `storable.py`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from messaging.whatsapp.inbound.message_types import Details


class Origin(StrEnum):
    """The origin of a message."""

    USER = "user"
    # The business wrote it with its phone app (coexistence).
    ECHO = "echo"
    # It is older than the number's connection to the API.
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from a user (or from the system about a user), or one of ours that another app sent (`outgoing`).

    The other end: `sender` is a number in digits, `sender_user_id` a BSUID; either may be missing, not usually both.
    `type` is as given ("unknown" where absent), `details` what it says, None where that is not understood; `content`
    what is stored of it, `text` its words. `context_wamid` is the message that it replies to, reacts to, edits or
    revokes.
    """

    wamid: str
    phone_number_id: str | None
    display_phone_number: str | None
    waba_id: str | None
    sender: str | None
    sender_user_id: str | None
    profile_name: str | None
    username: str | None
    timestamp: datetime | None
    type: str
    text: str | None
    content: dict[str, Any]
    details: Details | None
    context_wamid: str | None
    origin: Origin
    outgoing: bool
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pricing:
    """The `pricing` of a status; what Meta leaves out, or gives in a form that we do not know, is None.

    `model` is PMP (per message) or CBP (per conversation, until 2025). `type`: regular, free_customer_service,
    free_entry_point, … `category`: marketing, utility, authentication, authentication_international, service, … always
    with underscores, while Meta writes this one hyphen here and an underscore there.
    """

    billable: bool | None
    model: str | None
    type: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """A status of an outgoing message. `status` is one of `inbound.STATUSES`.

    `recipient` is a number in digits or a group's id, `recipient_user_id` a BSUID, `participant` the member of a group
    whom the status is about. The error is the first that is given; `error_title` and `error_details` are masked.
    `pricing` is what Meta bills it as; it comes with `sent`, and with one of `delivered` and `read`.
    """

    wamid: str
    phone_number_id: str | None
    display_phone_number: str | None
    waba_id: str | None
    status: str
    timestamp: datetime | None
    recipient: str | None
    recipient_user_id: str | None
    participant: str | None
    callback_data: str | None
    error_code: int | None
    error_title: str
    error_details: str
    pricing: Pricing | None
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preference:
    """A user's marketing preference. `value`: stop, resume or signup."""

    phone_number_id: str | None
    phone: str | None
    user_id: str | None
    category: str
    value: str
    timestamp: datetime | None
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A phone number and a BSUID that a payload assigns to one person."""

    phone_number_id: str | None
    phone: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something about the account, a number, a template or a user. `kind` is Meta's field (or key, such as "errors"),
    `event` what happened in Meta's word, `subject` the template or number that it is about; either may be empty.
    """

    kind: str
    event: str
    subject: str
    phone_number_id: str | None
    raw: Any
    waba_id: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A piece that is none of these. `kind` says where it stood: "field:flows", "message", "status", "contact",
    "value", "change", "entry", "body"; `waba_id` and `timestamp` are the entry's.
    """

    kind: str
    phone_number_id: str | None
    raw: Any
    waba_id: str | None = None
    timestamp: datetime | None = None


Update = InboundMessage | StatusUpdate | Preference | Event | Unknown


@dataclass(frozen=True, slots=True)
class Normalised:
    """The updates of webhook bodies, in order. `pairs` holds the identities in the contacts of statuses."""

    messages: tuple[InboundMessage, ...] = field(default=())
    statuses: tuple[StatusUpdate, ...] = field(default=())
    unknown: tuple[Unknown, ...] = field(default=())
    preferences: tuple[Preference, ...] = field(default=())
    events: tuple[Event, ...] = field(default=())
    pairs: tuple[Pair, ...] = field(default=())

    @property
    def updates(self) -> tuple[Update, ...]:
        """Every piece of JSON once."""
        return (*self.messages, *self.statuses, *self.unknown, *self.preferences, *self.events)

    def __add__(self, other: "Normalised") -> "Normalised":
        """Both, one after the other."""
        return Normalised(
            self.messages + other.messages,
            self.statuses + other.statuses,
            self.unknown + other.unknown,
            self.preferences + other.preferences,
            self.events + other.events,
            self.pairs + other.pairs,
        )
