"""Latencies over the run as an SVG, readable on white and on black."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from testkit.load.http_load import Answers
from testkit.statistics import percentile

WIDTH, HEIGHT = 760, 200
LEFT, RIGHT, TOP, BOTTOM = 70, 740, 36, 160
LINES = {"p50": 50, "slowest": 100}

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .end { text-anchor: end }
  .axis { stroke: #9aa4ae }
  polyline { fill: none; stroke-width: 2 }
  .p50 { stroke: #1a7f5a }
  .slowest { stroke: #b35900; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .axis { stroke: #6e7781 }
    .p50 { stroke: #3fb98a }
    .slowest { stroke: #f0883e }
  }
"""


def draw(sides: Mapping[str, Answers]) -> str:
    """A panel for each side: median and slowest latency of the requests due in each second."""
    height = HEIGHT * max(1, len(sides))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img">',
        "<title>Latencies of the load test, second by second</title>",
        f"<style>{STYLE}</style>",
    ]
    for number, (title, answers) in enumerate(sides.items()):
        parts += _panel(title, by_second(answers), HEIGHT * number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def by_second(answers: Answers) -> list[list[float]]:
    """Ascending latencies in milliseconds of the requests due in each second; empty where none was."""
    if not answers.due:
        return []
    begin = answers.due[0]
    seconds: list[list[float]] = [[] for _ in range(math.floor(max(answers.due) - begin) + 1)]
    for due, latency in zip(answers.due, answers.milliseconds(), strict=True):
        seconds[math.floor(due - begin)].append(latency)
    return [sorted(second) for second in seconds]


def _panel(title: str, seconds: Sequence[Sequence[float]], y: int) -> list[str]:
    highest = max((second[-1] for second in seconds if second), default=0.0) or 1.0
    parts = [
        f'<text class="title" x="8" y="{y + 20}">{escape(title)}: green the median, orange the slowest, in ms</text>',
        f'<line class="axis" x1="{LEFT}" y1="{y + BOTTOM}" x2="{RIGHT}" y2="{y + BOTTOM}"/>',
        f'<text class="end" x="{LEFT - 6}" y="{y + TOP + 5}">{highest:,.0f}</text>',
        f'<text class="end" x="{LEFT - 6}" y="{y + BOTTOM}">0</text>',
        f'<text class="end" x="{RIGHT}" y="{y + BOTTOM + 18}">{len(seconds)} s</text>',
    ]
    for name, percent in LINES.items():
        points = [
            (LEFT + (RIGHT - LEFT) * (at + 0.5) / len(seconds), percentile(second, percent))
            for at, second in enumerate(seconds)
            if second
        ]
        drawn = " ".join(f"{x:.1f},{y + BOTTOM - (BOTTOM - TOP) * value / highest:.1f}" for x, value in points)
        parts.append(f'<polyline class="{name}" points="{drawn}"/>')
    return parts
