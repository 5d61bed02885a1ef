"""A flame graph of sampled stacks as an SVG: calls from top to bottom, as wide as their share of the CPU."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH = 1200
ROW = 17
TOP = 46
# Narrower calls are left out.
LEAST = 0.008
CHARACTER = 6.2
SHORTEST_LABEL = 4
# Frames around every other one, which say nothing.
WRAPPERS = ("convert_exception_to_response.inner", "MiddlewareMixin.__call__", "csrf_exempt._view_wrapper")
STYLE = """
  text { font: 11px system-ui, sans-serif; fill: #1c1c1e }
  .ours { fill: #8fd6b3 } .django { fill: #a9c8f0 } .other { fill: #d9d3e6 }
  rect { stroke: #fff; stroke-width: .5 } .note { fill: #1f2328 }
  @media (prefers-color-scheme: dark) { .note { fill: #e6edf3 } rect { stroke: #222 } }
"""
LEGEND = {
    "ours": "this project",
    "django": "Django and DRF",
    "other": "Python's library, psycopg2, phonenumbers, structlog",
}
_OURS = ("waproject/", "messaging/", "monitoring/", "analytics/")
_DJANGO = ("django/", "rest_framework/")


@dataclass(slots=True)
class Call:
    """A function in its place of the tree; `samples` include those of the calls it makes."""

    name: str
    samples: int = 0
    calls: "dict[str, Call]" = field(default_factory=dict)


def read(lines: Sequence[str]) -> Call:
    """The tree of `frame;frame;… count` lines."""
    root = Call("")
    for line in lines:
        stack, _, count = line.rpartition(" ")
        root.samples += int(count)
        call, before = root, ""
        for frame in stack.split(";"):
            if frame == before or frame.startswith(WRAPPERS):
                continue
            call = call.calls.setdefault(frame, Call(frame))
            call.samples += int(count)
            before = frame
    return root


def draw(root: Call, title: str) -> str:
    """The picture of the tree; its title names what was sampled."""
    boxes = list(_boxes(root, root.samples, 0.0, 0))
    height = TOP + ROW * (max((row for _, row, _, _ in boxes), default=0) + 1) + 6
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'  # noqa: E501
    note = f"{title}: {root.samples:,} samples; calls below {LEAST:.1%} are left out."
    parts = [head, f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", *_legend()]
    parts.append(f'<text class="note" x="8" y="38">{escape(note)}</text>')
    parts += [_box(root.samples, *box) for box in boxes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _boxes(call: Call, total: int, left: float, row: int) -> Iterator[tuple[Call, int, float, float]]:
    """(call, row, x, width), the widest calls first."""
    for inner in sorted(call.calls.values(), key=lambda inner: -inner.samples):
        width = inner.samples / total * WIDTH
        if inner.samples / total >= LEAST:
            yield inner, row, left, width
            yield from _boxes(inner, total, left, row + 1)
        left += width


def _box(total: int, call: Call, row: int, left: float, width: float) -> str:
    y, room = TOP + row * ROW, int(width / CHARACTER)
    name = call.name.partition(" (")[0]
    label = name if len(name) <= room else name[: room - 1] + "…"
    text = f'<text x="{left + 3:.1f}" y="{y + 12}">{escape(label)}</text>' if room >= SHORTEST_LABEL else ""
    about = escape(f"{call.name}, {call.samples / total:.1%}")
    place = f'x="{left:.1f}" y="{y}" width="{max(width, 0.5):.1f}" height="{ROW - 1}"'
    return f'<g><title>{about}</title><rect class="{_kind(call.name)}" {place}/>{text}</g>'


def _kind(name: str) -> str:
    path = name.rpartition("(")[2]
    if path.startswith(_OURS):
        return "ours"
    return "django" if path.startswith(_DJANGO) else "other"


def _legend() -> Iterator[str]:
    x = 8
    for kind, words in LEGEND.items():
        yield f'<rect class="{kind}" x="{x}" y="10" width="14" height="12"/>'
        yield f'<text class="note" x="{x + 20}" y="20">{words}</text>'
        x += 40 + 7 * len(words)
