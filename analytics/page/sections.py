"""The sections of the page, from the answers of questions. Pure but for the questions themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analytics.questions import Question, answers, busiest

# Below that a rate says little of a template.
MIN_MESSAGES = 20
LISTED = 5
TEMPLATES_READ = 200
SHADES = 5
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BAR_WIDTH = 100
DURATIONS = {
    "accept": "Until WhatsApp accepted it",
    "delivery": "From then until delivered",
    "read": "From then until read",
    "response": "From a user's message until our answer",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week: its messages, and its shade from 0 to SHADES."""

    messages: int
    shade: int


@dataclass(frozen=True, slots=True)
class Page:
    """The content of the page."""

    total: dict[str, Any]
    funnel: list[dict[str, Any]]
    latency: list[tuple[str, dict[str, Any]]]
    errors: list[dict[str, Any]]
    best: list[dict[str, Any]]
    worst: list[dict[str, Any]]
    campaigns: list[dict[str, Any]]
    heatmap: list[tuple[str, list[Cell]]]
    conversations: dict[str, Any]
    chart: dict[str, Any]
    steps: list[dict[str, Any]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not self.total["messages"]


def page(question: Question) -> Page:
    """All sections for the question's period and filters. Raises BadPeriod for too many steps."""
    whole = replace(question, granularity=None, group_by=())
    shown = answers.overview(replace(question, group_by=()))
    templates = answers.counts_by(replace(whole, limit=TEMPLATES_READ), "template")
    best, worst = best_and_worst(templates)
    return Page(
        total=shown.total,
        funnel=[bar(stage) for stage in shown.funnel],
        latency=[(text, shown.total["latency"][name]) for name, text in DURATIONS.items()],
        errors=answers.errors(replace(whole, limit=10)).rows,
        best=best,
        worst=worst,
        campaigns=answers.counts_by(replace(whole, limit=10), "campaign"),
        heatmap=heatmap(busiest(whole)),
        conversations=shown.conversations,
        chart=chart(shown.steps),
        steps=shown.steps,
    )


def bar(stage: Mapping[str, Any]) -> dict[str, Any]:
    """A stage of the funnel with the width of its bar."""
    return {**stage, "width": round(BAR_WIDTH * (stage["of_accepted"] or 0), 1)}


def best_and_worst(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The templates with the highest and the lowest read rate, of those with enough delivered messages."""
    judged = [row for row in rows if row["delivered"] >= MIN_MESSAGES]
    judged.sort(key=lambda row: (-row["rates"]["read"]["share"], row["template"]))
    best = judged[: min(LISTED, (len(judged) + 1) // 2)]
    rest = judged[len(best) :]
    return best, rest[::-1][:LISTED]


def heatmap(counts: Mapping[tuple[int, int], int]) -> list[tuple[str, list[Cell]]]:
    """A row for each weekday, with its 24 hours."""
    most = max(counts.values(), default=0)
    return [
        (name, [_cell(counts.get((day, hour), 0), most) for hour in range(24)]) for day, name in enumerate(WEEKDAYS, 1)
    ]


def _cell(messages: int, most: int) -> Cell:
    # Rounded up: an hour with one message is not an empty one.
    return Cell(messages, -(-SHADES * messages // most) if most else 0)


def chart(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The lines of the two charts, for the page's script. Labels are those of the zone's clock."""
    rates = [(name, [step["rates"][name]["share"] for step in steps]) for name in ("delivered", "read", "failed")]
    counts = [(name, [step[name] for step in steps]) for name in ("outbound", "inbound")]
    return {
        "starts": [step["start"] for step in steps],
        "rates": [{"label": name, "values": values} for name, values in rates],
        "messages": [{"label": name, "values": values} for name, values in counts],
    }
