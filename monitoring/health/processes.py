"""Processes by their heartbeats: alive, gone, replaced or missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from monitoring.models import Heartbeat
from waproject.worker.liveness import REPORT_EVERY_S

# Two beats may be late, on a busy machine or while the database fails over; the third is missed for a reason.
GONE_AFTER = timedelta(seconds=3 * REPORT_EVERY_S)


class State(StrEnum):
    """alive: seen lately. gone: was killed, hangs, or is cut off. replaced: gone, and another one took its place."""

    ALIVE = "alive"
    GONE = "gone"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Judged:
    """One process; `age_s` is how long ago it was seen."""

    kind: str
    name: str
    pid: int
    state: State
    started_at: datetime
    age_s: float
    crashes: int
    crashed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Workers:
    """All that ran lately; `missing` are the kinds that are expected and of which none is alive."""

    processes: tuple[Judged, ...]
    missing: tuple[str, ...]

    @property
    def gone(self) -> tuple[Judged, ...]:
        """Those that left without a word and without a successor."""
        return tuple(process for process in self.processes if process.state == State.GONE)

    @property
    def ok(self) -> bool:
        """Nobody is missing and nobody gone."""
        return not self.missing and not self.gone

    def alive(self, kind: str) -> int:
        """How many of a kind live."""
        return sum(process.kind == kind and process.state == State.ALIVE for process in self.processes)


def workers() -> Workers:
    """As the database says now. One query of a small table; raises django.db errors."""
    return judge(Heartbeat.objects.order_by("kind", "name", "pid"), timezone.now(), settings.EXPECTED_PROCESSES)


def judge(beats: Iterable[Heartbeat], now: datetime, expected: Sequence[str]) -> Workers:
    """The state of each, at `now`.

    Where hosts change at each start, as containers' do, a successor has another name: each process that began after
    one of its kind was seen last stands for one that is gone.
    """
    rows = list(beats)
    processes = []
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind == kind]
        alive = [row for row in of_kind if now - row.seen_at < GONE_AFTER]
        heirs = sorted(row.started_at for row in alive)
        for row in sorted(of_kind, key=lambda row: row.seen_at):
            state = State.ALIVE
            if now - row.seen_at >= GONE_AFTER:
                heir = next((begun for begun in heirs if begun > row.seen_at), None)
                state = State.GONE if heir is None else State.REPLACED
                if heir is not None:
                    heirs.remove(heir)
            processes.append(_judged(row, state, now))
    running = {process.kind for process in processes if process.state == State.ALIVE}
    return Workers(tuple(processes), tuple(kind for kind in expected if kind not in running))


def _judged(row: Heartbeat, state: State, now: datetime) -> Judged:
    age = (now - row.seen_at).total_seconds()
    return Judged(row.kind, row.name, row.pid, state, row.started_at, age, row.crashes, row.crashed_at)
