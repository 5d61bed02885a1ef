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
    """The state of each process at `now`.

    Hosts that change their names at each start, such as containers, give a successor another name. So each process that
    started after the last heartbeat of a gone one of its kind counts as the successor of one.
    """
    rows = list(heartbeats)
    processes = []
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind == kind]
        working = [row for row in of_kind if now - row.seen_at < GONE_AFTER and row.stalled_since is None]
        successors = sorted(row.started_at for row in working)
        for row in sorted(of_kind, key=lambda row: row.seen_at):
            state = State.ALIVE if row.stalled_since is None else State.STALLED
            if now - row.seen_at >= GONE_AFTER:
                successor = next((started_at for started_at in successors if started_at > row.seen_at), None)
                state = State.GONE if successor is None else State.REPLACED
                if successor is not None:
                    successors.remove(successor)
            processes.append(_process(row, state, now))
    running = {process.kind for process in processes if process.state == State.ALIVE}
    return ProcessStatus(tuple(processes), tuple(kind for kind in expected if kind not in running))


def _process(row: Heartbeat, state: State, now: datetime) -> Process:
    age = (now - row.seen_at).total_seconds()
    return Process(
        row.kind, row.name, row.pid, state, row.started_at, age, row.crashes, row.crashed_at, row.stalled_since
    )
