"""What a webhook says, in our own shapes: messages, statuses, and everything else as it came.

Each keeps its piece of the JSON as `raw`. Texts can be stored as they are (see `storable.py`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from a user (or from the system about a user).

    `sender` is a number in digits, `sender_user_id` a BSUID; either may be missing, not usually both. `type` is as
    given ("unknown" where absent), `content` the node under that type ({} where absent; a node that is not an object
    stands under the type's name). `text` is the body of a text, else a caption. `modelled` says whether the type's
    content is understood, which is text for now.
    """

    wamid: str
    phone_number_id: str | None
    display_phone_number: str | None
    waba_id: str | None
    sender: str | None
    sender_user_id: str | None
    profile_name: str | None
    timestamp: datetime | None
    type: str
    text: str | None
    content: dict[str, Any]
    context_wamid: str | None
    modelled: bool
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What became of a message of ours. `status` is one of `inbound.STATUSES`.

    `recipient` is a number in digits or a group's id, `recipient_user_id` a BSUID, `participant` the member of a group
    whom the status is about. The error is the first that is given; `error_title` and `error_details` are masked.
    """

    wamid: str
    phone_number_id: str | None
    status: str
    timestamp: datetime | None
    recipient: str | None
    recipient_user_id: str | None
    participant: str | None
    callback_data: str | None
    error_code: int | None
    error_title: str
    error_details: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A piece that is neither. `kind` says where it stood: "field:account_update", "value.errors", "message",
    "status", "contact", "value", "change", "entry", "body"; `waba_id` and `timestamp` are the entry's.
    """

    kind: str
    phone_number_id: str | None
    raw: Any
    waba_id: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class Normalised:
    """All that one webhook body holds, in its order."""

    messages: tuple[InboundMessage, ...] = field(default=())
    statuses: tuple[StatusUpdate, ...] = field(default=())
    unknown: tuple[Unknown, ...] = field(default=())
