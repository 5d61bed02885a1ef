"""Messages at chosen times, and an independent recount of them."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from analytics.models import Histogram, Rollup
from analytics.rollups import sweep as sweeping
from analytics.rollups.buckets import Period, make_due, mark_period, recount
from analytics.rollups.countries import country_of
from analytics.rollups.dimension_views import COLUMNS
from analytics.rollups.facts import NO_ANSWER, REACHED
from analytics.rollups.histogram import BOUNDS, PLACES
from analytics.rollups.quarters import quarter_of
from messaging.accepting.sending_numbers import sending_number
from messaging.identifiers import first_uuid7
from messaging.models import Message, MessageEvent
from messaging.states import Status

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
EVER = Period(NOON - timedelta(days=400), NOON + timedelta(days=400))
_random = random.Random(7)


def message_id(at: datetime) -> UUID:
    """An id as if made at that time."""
    return UUID(int=first_uuid7(at).int | _random.getrandbits(60))


def made_at(pk: UUID) -> datetime:
    """When an id was made, as it says."""
    return datetime.fromtimestamp((pk.int >> 80) / 1000, UTC)


def outbound(at: datetime = NOON, peer: str = "15551230001", **fields: Any) -> Message:
    """A message that the API accepted, and its first line of the trail."""
    return stored(at, "outbound", "api", **{"peer": peer, "status": Status.PENDING, "due_at": at, **fields})


def inbound(at: datetime = NOON, peer: str = "15551230001", **fields: Any) -> Message:
    """What a user wrote; `at` is whole seconds, as Meta's."""
    return stored(at, "inbound", "webhook", **{"peer": peer, "status": Status.RECEIVED, "origin": "user", **fields})


def stored(at: datetime, direction: str, source: str, **fields: Any) -> Message:
    """A row and its event. The message may have come later than `at`: `made`."""
    made = fields.pop("made", at)
    fields = {"type": "text", "number": sending_number(), **fields}
    row = Message.objects.create(id=message_id(made), direction=direction, at=at, created_at=made, **fields)
    MessageEvent.objects.create(message=row, status=row.status, at=at, source=source)
    return row


def read_trail() -> None:
    """All that has been committed: what one sweep sees, the next marks and the third reads."""
    for _ in range(3):
        while sweeping.sweep().more:
            pass


def settle() -> None:
    """Read the trail and count all that is dirty, due or not."""
    read_trail()
    make_due(EVER)
    while recount(EVER):
        pass


def count_again() -> None:
    """Count all messages, without any sweep."""
    if made := sorted(made_at(pk) for pk in Message.objects.values_list("pk", flat=True)):
        mark_period(Period(made[0], made[-1] + timedelta(seconds=1)))
    while recount(EVER):
        pass


MEASURES = ("messages", "accepted", "sent", "delivered", "read", "answered", "failed", "opened", "responded")
DIMENSIONS = tuple(f"dimensions__{name}" for name in COLUMNS)


@dataclass(frozen=True, slots=True)
class Dims:
    """The columns of `models.Dimensions`, in the order of COLUMNS; what a view leaves out is empty."""

    number_id: int
    client_id: int
    direction: str
    type: str = ""
    template: str = ""
    campaign: str = ""
    country: str = ""
    category: str = ""
    price_type: str = ""
    status: str = ""
    error_code: int = 0

    def only(self, names: Iterable[str]) -> "Dims":
        return Dims(self.number_id, self.client_id, self.direction, **{name: getattr(self, name) for name in names})


Counted = dict[tuple[datetime, Dims], tuple[int, ...]]


def rolled_up(minutes: int = 15, view: int = 0) -> Counted:
    """What the rollups say."""
    rows = Rollup.objects.filter(minutes=minutes, view=view).values_list("start", *DIMENSIONS, *MEASURES)
    return {(row[0], Dims(*row[1:12])): row[12:] for row in rows}


def in_view(counted: Counted, names: Iterable[str]) -> Counted:
    """The same by these dimensions alone."""
    sums: Counted = {}
    for (start, dims), values in counted.items():
        key = (start, dims.only(names))
        sums[key] = tuple(a + b for a, b in zip(sums.get(key, (0,) * len(values)), values, strict=True))
    return sums


def latencies(minutes: int = 15, view: int = 0) -> Counter[tuple[datetime, str, int, int]]:
    """By quarter, campaign, kind and place."""
    places = [f"p{place}" for place in range(PLACES)]
    rows = Histogram.objects.filter(minutes=minutes, view=view)
    found: Counter[tuple[datetime, str, int, int]] = Counter()
    for start, campaign, kind, *counts in rows.values_list("start", "dimensions__campaign", "kind", *places):
        for place, count in enumerate(counts):
            found[start, campaign, kind, place] += count
    return +found


def recounted() -> tuple[Counted, Counter[tuple[datetime, str, int, int]]]:
    """The same from the raw rows, message by message."""
    everything = list(Message.objects.exclude(origin="history"))
    counts: dict[tuple[datetime, Dims], list[int]] = {}
    durations: Counter[tuple[datetime, str, int, int]] = Counter()
    for message in everything:
        if message.origin == "echo":
            continue
        start = quarter_of(made_at(message.id))
        trail = list(message.events.all())
        talk = [m for m in everything if (m.peer, m.number_id) == (message.peer, message.number_id) and m != message]
        response = response_of(message, talk)
        measures = [
            1,
            *(int(level_of(message, trail) >= level) for level in (1, 2, 3, 4)),
            int(is_answered(message, trail, talk)),
            int(message.direction == "outbound" and message.status == "failed"),
            int(opens(message, talk)),
            int(response is not None),
        ]
        key = (start, dims_of(message))
        counts[key] = [a + b for a, b in zip(counts.get(key, [0] * 9), measures, strict=True)]
        for kind, seconds in [*durations_of(message, trail), *([(4, response)] if response is not None else [])]:
            place = sum(bound <= max(0.0, seconds) for bound in BOUNDS)
            durations[start, message.campaign, kind, place] += 1
    return {key: tuple(values) for key, values in counts.items()}, durations


def dims_of(message: Message) -> Dims:
    return Dims(
        message.number_id, message.client_id or 0, message.direction, message.type, message.template, message.campaign,
        country_of(message.peer), message.pricing_category or "", message.pricing_type or "", message.status,
        message.error_code or 0,
    )  # fmt: skip


def level_of(message: Message, trail: list[MessageEvent]) -> int:
    if message.direction == "inbound" or message.type == "reaction":
        return 0
    states = [message.status, *(event.status for event in trail)]
    return max((REACHED.index(state) + 1 for state in states if state in REACHED), default=0)


def asks(message: Message) -> bool:
    return message.direction == "inbound" and message.type not in NO_ANSWER


def answers(message: Message) -> bool:
    return message.direction == "outbound" and bool(message.wamid) and message.type not in NO_ANSWER


def is_answered(message: Message, trail: list[MessageEvent], talk: list[Message]) -> bool:
    floor = message.at.replace(microsecond=0)
    return level_of(message, trail) > 0 and any(asks(m) and floor <= m.at < message.at + DAY for m in talk)


def opens(message: Message, talk: list[Message]) -> bool:
    if not asks(message):
        return False
    before = [
        m
        for m in talk
        if (asks(m) or answers(m)) and message.at - DAY <= m.at and (m.at, m.id) < (message.at, message.id)
    ]
    return not before or max(before, key=lambda m: (m.at, m.id)).direction == "outbound"


def response_of(message: Message, talk: list[Message]) -> float | None:
    if not opens(message, talk):
        return None
    after = [m.at for m in talk if answers(m) and message.at <= m.at < message.at + DAY]
    return (min(after) - message.at).total_seconds() if after else None


def durations_of(message: Message, trail: list[MessageEvent]) -> list[tuple[int, float]]:
    if message.direction == "inbound":
        return []
    times = {state: [event.at for event in trail if event.status == state] for state in REACHED}
    accepted = max(times["accepted"], default=None)
    base = accepted or min(times["sent"], default=None)
    begun = message.due_at or message.created_at if message.calls <= 1 else message.created_at
    arrived, seen = min(times["delivered"] + times["read"], default=None), min(times["read"], default=None)
    pairs = [(1, begun, accepted), (2, base, arrived), (3, base, seen)]
    return [(kind, (end - start).total_seconds()) for kind, start, end in pairs if start and end]
