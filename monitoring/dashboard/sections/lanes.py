"""The lanes section: queue depth, and rates in and out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from monitoring.dashboard.sections.alerts import AlertView, state_of
from monitoring.dashboard.sections.state import State
from monitoring.metrics import Window, gauges, increase, rate
from waproject.metrics.counters import SQS_MESSAGES
from waproject.queues import LANES, Lane

RATE_S = 60
STALLED_S = 60
STALLED = "The queue {lane} is not draining: {waiting:,} messages are waiting, none was processed for {seconds} s."
STATE_WORDS = {State.ATTENTION: "needs attention", State.TROUBLE: "failing"}
_QUEUE_STATES = ("waiting", "in_flight", "delayed")


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane; rates in messages a second, None if unknown. `spark`: its out rate over the last hour.

    `reason`: why the lane needs attention before an alert fires.
    """

    name: str
    state: State
    waiting: int | None
    in_flight: int | None
    delayed: int | None
    dlq: int | None
    oldest_s: float | None
    in_rate: float | None
    out_rate: float | None
    word: str = ""
    reason: str = ""
    spark: list[float] = field(default_factory=list)


def lane_views(window: Window, alerts: Sequence[AlertView]) -> list[LaneView]:
    """All three lanes."""
    return [_lane(lane, window, alerts) for lane in LANES.values()]


def _lane(lane: Lane, window: Window, alerts: Sequence[AlertView]) -> LaneView:
    counts = {state: _whole(window.value(gauges.QUEUE.name, lane.name, state)) for state in _QUEUE_STATES}
    queue = lane.url.rsplit("/", 1)[-1]
    recent = window.within(RATE_S)
    state = state_of(lane.name, alerts, ("lane-waiting", "lane-age", "dlq-not-empty"))
    stalled = state is State.OK and _is_stalled(lane.name, queue, window)
    state = State.ATTENTION if stalled else state
    out = rate(recent, SQS_MESSAGES.name, queue, "DeleteMessage")
    return LaneView(
        name=lane.name,
        state=State.TROUBLE if counts["waiting"] is None else state,
        word="not draining" if stalled else _lane_word(state, counts["waiting"], out),
        reason=STALLED.format(lane=lane.name, waiting=counts["waiting"], seconds=STALLED_S) if stalled else "",
        dlq=_whole(window.value(gauges.DLQ.name, lane.name)),
        oldest_s=window.value(gauges.QUEUE_AGE.name, lane.name),
        in_rate=rate(recent, SQS_MESSAGES.name, queue, "SendMessage"),
        out_rate=out,
        spark=_spark(window, SQS_MESSAGES.name, queue, "DeleteMessage"),
        **counts,
    )


def _is_stalled(lane: str, queue: str, window: Window) -> bool:
    """Whether messages have waited for a minute without one being deleted."""
    snapshots = window.last(STALLED_S)
    waited = all(snapshot.get(gauges.QUEUE.name, lane, "waiting") for snapshot in snapshots)
    return window.covers(STALLED_S) and waited and not increase(snapshots, SQS_MESSAGES.name, queue, "DeleteMessage")


def _lane_word(state: State, waiting: int | None, out_rate: float | None) -> str:
    if waiting is None:
        return "unknown"
    if state is State.OK:
        return "moving" if waiting or out_rate else "idle"
    return STATE_WORDS[state]


def _spark(window: Window, *series: str) -> list[float]:
    """The rate between adjacent snapshots, the oldest first."""
    pairs = pairwise(window.snapshots)
    return [round(rate(pair, *series) or 0.0, 3) for pair in pairs]


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
