"""The set-up section: the last result of the monitor's checks, for each account and number."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.sections.state import State
from monitoring.models import SetupFinding

STATES = {"failed": State.TROUBLE, "warning": State.ATTENTION}
# Meta's own words about an account or number are shown even if all is well.
HEALTH = "health"


@dataclass(frozen=True, slots=True)
class FindingView:
    """A check that failed or remarks something, or Meta's word on whether an account or number can send."""

    name: str
    about: str
    state: State
    text: str
    next_step: str


@dataclass(frozen=True, slots=True)
class SetupView:
    """When the set-up was checked last (None: never), and what is worth a look."""

    checked_at: datetime | None
    findings: list[FindingView]


def setup_view() -> SetupView:
    """The last results, the worst first. Raises django.db errors."""
    rows = list(SetupFinding.objects.all())
    views = [
        FindingView(row.check_name, row.about, STATES.get(row.state, State.OK), row.text, row.next_step)
        for row in rows
        if row.state in STATES or row.check_name == HEALTH
    ]
    order = list(State)
    views.sort(key=lambda view: -order.index(view.state))
    return SetupView(rows[0].checked_at if rows else None, views)
