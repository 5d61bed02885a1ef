"""The effect of retention on the lanes: p99 of sends and of deliveries, with and without it, in turns."""

from typing import Any

from bench.errors import BenchError
from bench.pipeline import delivering, sending
from bench.pipeline.running import Pipeline
from bench.pipeline.stored import fill
from testkit.statistics import summary
from testkit.waiting import eventually

OLD_MESSAGES = 1_000_000
# The shortest period that retention takes, and older.
RETENTION_DAYS = 31
AGE_DAYS = 40
SECONDS = 25.0
TURNS = 3
# An idle `deliver` looks for old rows once a minute.
BEGINS_S = 75.0

_PUT_OFF = "UPDATE messaging_retentionprogress SET next_at = now() + interval '1 day'"
_DUE = "UPDATE messaging_retentionprogress SET next_at = now() WHERE rule = 'messages'"
_REMOVED = "SELECT COALESCE(sum(removed), 0) FROM messaging_retentionprogress WHERE rule = 'messages'"
_RULE = "SELECT count(*) FROM messaging_retentionprogress WHERE rule = 'messages'"


def measure(messages: int = OLD_MESSAGES, seconds: float = SECONDS, turns: int = TURNS) -> dict[str, Any]:
    """{send, deliveries: {p99_ms, p99_ms_during, p99_ratio}, removed, removed_per_s}.

    `removed`: messages that retention deleted while it was measured. Raises BenchError if it deleted none.
    """
    without: dict[str, list[float]] = {"send": [], "deliveries": []}
    during: dict[str, list[float]] = {"send": [], "deliveries": []}
    removed = 0
    with Pipeline({"RETENTION_MESSAGES_DAYS": str(RETENTION_DAYS)}) as pipeline, delivering.subscriber(pipeline) as url:
        if not eventually(lambda: pipeline.ask(_RULE)[0][0] > 0, BEGINS_S):
            raise BenchError("retention did not begin")
        pipeline.ask(_PUT_OFF)
        fill(pipeline, messages, AGE_DAYS)
        for _ in range(turns):
            _load(pipeline, url, seconds, without)
            before = _begin(pipeline)
            _load(pipeline, url, seconds, during)
            removed += _removed(pipeline) - before
            pipeline.ask(_PUT_OFF)
    if not removed:
        raise BenchError("retention deleted nothing")
    figures: dict[str, Any] = {name: _compared(without[name], during[name]) for name in without}
    return {**figures, "removed": removed, "removed_per_s": removed / (2 * seconds * turns)}


def _load(pipeline: Pipeline, url: str, seconds: float, latencies: dict[str, list[float]]) -> None:
    latencies["send"] += sending.send_steadily(pipeline, seconds)[0]
    latencies["deliveries"] += delivering.deliver(pipeline, url, seconds)


def _begin(pipeline: Pipeline) -> int:
    """Let retention delete; how many messages it had deleted before. Raises BenchError."""
    before = _removed(pipeline)
    pipeline.ask(_DUE)
    if not eventually(lambda: _removed(pipeline) > before, BEGINS_S):
        raise BenchError("retention did not begin again")
    return _removed(pipeline)


def _removed(pipeline: Pipeline) -> int:
    return int(pipeline.ask(_REMOVED)[0][0])


def _compared(without: list[float], during: list[float]) -> dict[str, float]:
    names = ("p50_ms", "p99_ms") if len(during) >= 1000 else ("p50_ms", "slowest_ms")  # noqa: PLR2004
    before, after = summary(without), summary(during)
    found = {name: before[name] for name in names} | {f"{name}_during": after[name] for name in names}
    return {**found, f"{names[1].removesuffix('_ms')}_ratio": after[names[1]] / before[names[1]]}
