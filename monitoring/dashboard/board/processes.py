"""The processes section: alive, gone, missing, and crashes."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.board.state import State
from monitoring.health import State as Life
from monitoring.health import Workers

PROCESS_STATES = {Life.ALIVE: (State.OK, "alive"), Life.GONE: (State.ATTENTION, "gone")}


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process, or a kind of which none is alive. `crashes`: those in its place before it that were killed."""

    kind: str
    name: str
    state: State
    word: str
    age_s: float | None
    crashes: int = 0
    crashed_at: datetime | None = None


def process_views(seen: Workers) -> list[ProcessView]:
    """What is missing or gone comes first."""
    views = [ProcessView(kind, kind, State.TROUBLE, "missing", None) for kind in seen.missing]
    for process in seen.processes:
        if process.state is not Life.REPLACED:
            state, word = PROCESS_STATES[process.state]
            past = (process.crashes, process.crashed_at)
            views.append(ProcessView(process.kind, process.name, state, word, process.age_s, *past))
    order = list(State)
    return sorted(views, key=lambda view: (-order.index(view.state), view.kind, view.name))
