"""The processes section: alive, gone, missing, and crashes."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.sections.state import State
from monitoring.health import ProcessStatus
from monitoring.health import State as ProcessState

PROCESS_STATES = {
    ProcessState.ALIVE: (State.OK, "alive"),
    ProcessState.STALLED: (State.ATTENTION, "stalled"),
    ProcessState.GONE: (State.ATTENTION, "gone"),
}


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process, or an expected kind without any. `crashes`: its predecessors that were killed."""

    kind: str
    name: str
    state: State
    word: str
    age_s: float | None
    crashes: int = 0
    crashed_at: datetime | None = None


def process_views(status: ProcessStatus) -> list[ProcessView]:
    """Missing and gone processes first."""
    views = [ProcessView(kind, kind, State.TROUBLE, "missing", None) for kind in status.missing]
    for process in status.processes:
        if process.state is not ProcessState.REPLACED:
            state, word = PROCESS_STATES[process.state]
            past = (process.crashes, process.crashed_at)
            views.append(ProcessView(process.kind, process.name, state, word, process.age_s, *past))
    order = list(State)
    return sorted(views, key=lambda view: (-order.index(view.state), view.kind, view.name))
