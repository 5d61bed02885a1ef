"""The figures beside stock Celery as an SVG of bars, readable on white and on black."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from bench.report.targets import look_up, number

WIDTH = 760
LABEL_X = 190
BAR_X = 200
BAR_WIDTH = 460
ROW = 22
BAR = 15
TITLE = 40

# Text follows the reader's theme; the bars' colours stand out on both, and differ in lightness, not only in hue.
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .label { text-anchor: end }
  .ours { fill: #1a7f5a }
  .stock { fill: #9aa4ae }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #3fb98a }
    .stock { fill: #6e7781 }
  }
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of one scale. `rows`: what stands left of a pair of bars, and the figure's path, {} being the kind."""

    title: str
    rows: tuple[tuple[str, str], ...]


def _pools(case: str, figure: str) -> tuple[tuple[str, str], ...]:
    names = {"prefork 2": "prefork", "threads 16": "threads"}
    return tuple((name, f"transport.{{}}.{case}.{pool}.{figure}") for name, pool in names.items())


PANELS = (
    Panel("Messages a second, SQS answering in 10 ms: more is better", _pools("backlog_10ms", "msg_per_s")),
    Panel("Messages a second, SQS answering at once: more is better", _pools("backlog", "msg_per_s")),
    Panel("Worker CPU per task in a backlog, ms: less is better", _pools("backlog", "cpu_ms")),
    Panel("SQS requests per message in a backlog: less is better", _pools("backlog", "requests_per_message")),
    Panel(
        "CPU per message published or received, ms: less is better",
        (("publish a task", "publish.{}.cpu_ms"), ("take a webhook", "webhook.{}.cpu_ms")),
    ),
)


def draw(figures: Mapping[str, Any]) -> str:
    """The whole picture; a pair of bars that was not measured is left out."""
    parts: list[str] = []
    y = 8
    for panel in PANELS:
        bars = list(_bars(panel, figures))
        if bars:
            parts.append(f'<text class="title" x="8" y="{y + 20}">{escape(panel.title)}</text>')
            y += TITLE - 8
            longest = max(value for _, _, value in bars) or 1.0
            for label, kind, value in bars:
                parts.append(_bar(y, label, kind, value, BAR_WIDTH * value / longest))
                y += ROW
            y += 8
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    title = "<title>Stock Celery and this pipeline on SQS, side by side</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def _bars(panel: Panel, figures: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    for label, path in panel.rows:
        for kind in ("stock", "ours"):
            value = look_up(figures, path.format(kind))
            if value is not None:
                yield f"{label}, {kind}", kind, value


def _bar(y: int, label: str, kind: str, value: float, width: float) -> str:
    return (
        f'<text class="label" x="{LABEL_X}" y="{y + 12}">{escape(label)}</text>'
        f'<rect class="{kind}" x="{BAR_X}" y="{y}" width="{max(1.0, width):.1f}" height="{BAR}" rx="2"/>'
        f'<text x="{BAR_X + max(1.0, width) + 6:.1f}" y="{y + 12}">{number(value)}</text>'
    )
