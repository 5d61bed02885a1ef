"""The state machine of a message: its states, and every legal move between them.

    pending ─▶ queued ─▶ sending ─▶ accepted ─▶ sent ─▶ delivered ─▶ read
       ▲         │          ├─▶ pending   (retry at due_at)
       │         │          ├─▶ unknown ─▶ accepted | sent | delivered | read | failed | pending | expired
       └─────────┘ lost     └─▶ failed ─▶ pending (redrive, send again)
    pending | queued ─▶ cancelled | expired          pending | queued | failed ─▶ sent | delivered | read
    pending | queued | failed ─▶ accepted   (an answer that is recorded late)
    cancelled | expired ─▶ accepted | sent | delivered | read   (ended while the answer of a call was missing)

Forward jumps are legal: Meta leaves `delivered` out when `read` implies it. What Meta reports is evidence and wins
over what we believed (the last three lines); a move that is not in the table is ignored, never an error. An inbound
message is `received` and stays so.

Three reports depend on whose attempt they are of, since they come in any order and more than once:

    accepted of an attempt that failed since says nothing new: not out of `failed`, nor out of the retry after it
    sent     of the very attempt that failed says nothing new: not out of `failed`, nor out of the retry after it
    failed   fails a message only where it is of its latest attempt: `accepted` or `sent` under that wamid, or no
             wamid is known yet and there was no attempt before (or nothing is known of the latest, `unknown`);
             the refusal of a call fails no message that Meta took with another call: `accepted` or `sent`

The answer of a call that was not taken leads back to `pending` only while that call is open, `sending` or `unknown`:
a message that was given up meanwhile, `failed`, is not sent after all.
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
    S.PENDING: frozenset({S.QUEUED, S.CANCELLED, S.EXPIRED, S.FAILED, S.ACCEPTED, *EVIDENCE}),
    S.QUEUED: frozenset({S.SENDING, S.PENDING, S.CANCELLED, S.EXPIRED, S.FAILED, S.ACCEPTED, *EVIDENCE}),
    S.SENDING: frozenset({S.PENDING, S.UNKNOWN, S.FAILED, S.ACCEPTED, *EVIDENCE}),
    S.UNKNOWN: frozenset({S.ACCEPTED, S.FAILED, S.PENDING, S.EXPIRED, *EVIDENCE}),
    S.ACCEPTED: frozenset({S.FAILED, *EVIDENCE}),
    S.SENT: frozenset({S.DELIVERED, S.READ, S.FAILED}),
    S.DELIVERED: frozenset({S.READ}),
    S.READ: frozenset(),
    S.FAILED: frozenset({S.PENDING, S.ACCEPTED, *EVIDENCE}),
    S.CANCELLED: frozenset({S.ACCEPTED, *EVIDENCE}),
    S.EXPIRED: frozenset({S.ACCEPTED, *EVIDENCE}),
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

# The moves that only another attempt's evidence may make: these states come after a failure, or before any evidence.
_NOT_BEING_SENT = (S.FAILED, S.CANCELLED, S.EXPIRED, S.PENDING, S.QUEUED)
OF_ANOTHER_ATTEMPT = [
    *(f"{before}>{S.SENT}" for before in (*_NOT_BEING_SENT, S.SENDING)),
    *(f"{before}>{S.ACCEPTED}" for before in _NOT_BEING_SENT),
]

# The states out of which a `failed` of their own wamid leads.
FAILED_BY_META = [S.ACCEPTED, S.SENT]

# The states out of which the answer of a call leads back to `pending`.
RETRIED_BY_ANSWER = [S.SENDING, S.UNKNOWN]

# What Meta can only say of a message that it took.
TAKEN_BY_META = frozenset({S.ACCEPTED, *EVIDENCE})

# The legal moves that show which attempt Meta has taken: the message has its wamid from then on, not that of a failed
# one.
OF_TAKEN_ATTEMPT = [
    f"{before}>{after}"
    for before, targets in TRANSITIONS.items()
    if before not in TAKEN_BY_META
    for after in EVIDENCE
    if after in targets
]

# What Meta calls a status, as ours. `played` is a voice message's `read`; `deleted` is a legacy value that says
# nothing of delivery.
FROM_META = {"sent": S.SENT, "delivered": S.DELIVERED, "read": S.READ, "played": S.READ, "failed": S.FAILED}


def may_move(before: Status, after: Status, *, same_attempt: bool | None = None, is_answer: bool = False) -> bool:
    """Whether a message may move.

    `same_attempt` is for a status of Meta's whose message has a wamid already: whether it is the status's own.
    `is_answer`: the move follows from the answer of a call.
    """
    if is_answer and after is S.PENDING and before not in RETRIED_BY_ANSWER:
        return False
    if same_attempt and f"{before}>{after}" in OF_ANOTHER_ATTEMPT:
        return False
    if after is S.FAILED and same_attempt is not None and not (same_attempt and before in FAILED_BY_META):
        return False
    return after in TRANSITIONS[before]


def choices() -> list[tuple[str, str]]:
    """For a model field; a callable, so that a new state makes no migration."""
    return [(status.value, status.name.capitalize()) for status in Status]
