"""The states of a message and every legal move between them.

    pending ─▶ queued ─▶ sending ─▶ accepted ─▶ sent ─▶ delivered ─▶ read
       ▲         │          ├─▶ pending   (retry at due_at)
       │         │          ├─▶ unknown ─▶ accepted | sent | delivered | read | failed | pending | expired
       └─────────┘ lost     └─▶ failed ─▶ pending (redrive, send again)
    pending | queued ─▶ cancelled | expired          pending | queued | failed ─▶ sent | delivered | read

Forward jumps are legal: Meta leaves `delivered` out when `read` implies it. What Meta reports is evidence and wins
over what we believed (the last line); a move that is not in the table is ignored, never an error. One move depends on
more than the two states: `failed ─▶ sent` is legal only when the `sent` is another attempt's (or the failure was
ours), since Meta does not order its webhooks and the `sent` of the attempt that failed may come after its `failed`.
An inbound message is `received` and stays so.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a message is."""

    PENDING = "pending"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RECEIVED = "received"


S = Status
EVIDENCE = (S.SENT, S.DELIVERED, S.READ)

TRANSITIONS: dict[Status, frozenset[Status]] = {
    S.PENDING: frozenset({S.QUEUED, S.CANCELLED, S.EXPIRED, S.FAILED, *EVIDENCE}),
    S.QUEUED: frozenset({S.SENDING, S.PENDING, S.CANCELLED, S.EXPIRED, S.FAILED, *EVIDENCE}),
    S.SENDING: frozenset({S.PENDING, S.UNKNOWN, S.FAILED, S.ACCEPTED, *EVIDENCE}),
    S.UNKNOWN: frozenset({S.ACCEPTED, S.FAILED, S.PENDING, S.EXPIRED, *EVIDENCE}),
    S.ACCEPTED: frozenset({S.FAILED, *EVIDENCE}),
    S.SENT: frozenset({S.DELIVERED, S.READ, S.FAILED}),
    S.DELIVERED: frozenset({S.READ}),
    S.READ: frozenset(),
    S.FAILED: frozenset({S.PENDING, *EVIDENCE}),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
    S.RECEIVED: frozenset(),
}

# Which of several changes to one message in one batch is the last word: the highest.
RANK = {
    status: rank
    for rank, status in enumerate(
        (S.PENDING, S.QUEUED, S.SENDING, S.UNKNOWN, S.ACCEPTED, S.SENT, S.FAILED, S.DELIVERED, S.READ)
    )
}

# Every legal move as "from>to", the form in which SQL asks for it.
LEGAL_MOVES = [f"{before}>{after}" for before, targets in TRANSITIONS.items() for after in sorted(targets)]

# The one move that only another attempt's evidence may make.
OF_ANOTHER_ATTEMPT = (S.FAILED, S.SENT)

# What Meta calls a status, as ours. `played` is a voice message's `read`; `deleted` is a legacy value that says
# nothing of delivery.
FROM_META = {"sent": S.SENT, "delivered": S.DELIVERED, "read": S.READ, "played": S.READ, "failed": S.FAILED}


def may_move(before: Status, after: Status, *, same_attempt: bool = False) -> bool:
    """Whether a message may move; `same_attempt`: the evidence is of the very attempt that failed."""
    if same_attempt and (before, after) == OF_ANOTHER_ATTEMPT:
        return False
    return after in TRANSITIONS[before]


def choices() -> list[tuple[str, str]]:
    """For a model field; a callable, so that a new state makes no migration."""
    return [(status.value, status.name.capitalize()) for status in Status]
