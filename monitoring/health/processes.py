"""Processes by their heartbeats: alive, stalled, gone, replaced or missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from monitoring.models import Heartbeat
from waproject.worker.liveness import REPORT_EVERY_S

# Two heartbeats may be late, on a busy machine or during a failover of the database; the third is missing for a reason.
GONE_AFTER = timedelta(seconds=3 * REPORT_EVERY_S)


class State(StrEnum):
    """alive: recent heartbeats. stalled: recent heartbeats, but its work does not move.

    gone: killed, hanging or cut off. replaced: gone, and a successor has started.
    """

    ALIVE = "alive"
    STALLED = "stalled"
    GONE = "gone"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `age_s` is the time since its last heartbeat, `stalled_since` when its work stopped moving."""

    kind: str
    name: str
    pid: int
    state: State
    started_at: datetime
    age_s: float
    crashes: int
    crashed_at: datetime | None
    stalled_since: datetime | None = None

    @property
    def is_faulty(self) -> bool:
        """Whether it does no work, and no successor does it."""
        return self.state in {State.STALLED, State.GONE}


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """All processes with a heartbeat row; `missing` are the expected kinds of which none is alive."""

    processes: tuple[Process, ...]
    missing: tuple[str, ...]

    @property
    def faulty(self) -> tuple[Process, ...]:
        """Those that do no work: stalled, or ended without a clean stop and without a successor."""
        return tuple(process for process in self.processes if process.is_faulty)

    @property
    def ok(self) -> bool:
        """Whether no kind is missing and no process stalled or gone."""
        return not self.missing and not self.faulty

    def alive(self, kind: str) -> int:
        """The number of running processes of a kind."""
        return sum(process.kind == kind and process.state == State.ALIVE for process in self.processes)


def process_status() -> ProcessStatus:
    """The current status. One query of a small table; raises django.db errors."""
    return status_at(timezone.now(), Heartbeat.objects.order_by("kind", "name", "pid"), settings.EXPECTED_PROCESSES)


def status_at(now: datetime, heartbeats: Iterable[Heartbeat], expected: Sequence[str]) -> ProcessStatus:
    """The state of each process at `now`."""
    rows = list(heartbeats)
    processes = []
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = sorted((row for row in rows if row.kind == kind), key=lambda row: row.seen_at)
        replaced = {id(gone) for gone, _ in _pairs(now, of_kind)}
        processes += [_process(row, _state(row, now, id(row) in replaced), now) for row in of_kind]
    running = {process.kind for process in processes if process.state == State.ALIVE}
    return ProcessStatus(tuple(processes), tuple(kind for kind in expected if kind not in running))


def replacements(now: datetime, heartbeats: Iterable[Heartbeat]) -> list[tuple[Heartbeat, Heartbeat]]:
    """The gone processes, each with its successor, which may be gone itself; the one that was gone first comes first.

    Hosts that change their names at each start, such as containers, give a successor another name. So each process that
    started after the last heartbeat of a gone one of its kind counts as the successor of one.
    """
    rows = sorted(heartbeats, key=lambda row: row.seen_at)
    kinds = dict.fromkeys(row.kind for row in rows)
    return [pair for kind in kinds for pair in _pairs(now, [row for row in rows if row.kind == kind])]


def _pairs(now: datetime, of_kind: Sequence[Heartbeat]) -> list[tuple[Heartbeat, Heartbeat]]:
    """The same, for the processes of one kind, which are sorted by their last heartbeats."""
    # One that has stalled does nobody's work; one that is gone did, and may have a successor in turn.
    candidates = (row for row in of_kind if _is_gone(row, now) or row.stalled_since is None)
    successors = sorted(candidates, key=lambda row: row.started_at)
    pairs = []
    for row in of_kind:
        successor = next((other for other in successors if other.started_at > row.seen_at), None)
        if successor is not None and _is_gone(row, now):
            successors.remove(successor)
            pairs.append((row, successor))
    return pairs


def _is_gone(row: Heartbeat, now: datetime) -> bool:
    return now - row.seen_at >= GONE_AFTER


def _state(row: Heartbeat, now: datetime, replaced: bool) -> State:
    if _is_gone(row, now):
        return State.REPLACED if replaced else State.GONE
    return State.ALIVE if row.stalled_since is None else State.STALLED


def _process(row: Heartbeat, state: State, now: datetime) -> Process:
    age = (now - row.seen_at).total_seconds()
    return Process(
        row.kind, row.name, row.pid, state, row.started_at, age, row.crashes, row.crashed_at, row.stalled_since
    )
