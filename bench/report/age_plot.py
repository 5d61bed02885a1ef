"""The cost of one message by the number of stored messages, as an SVG: our CPU and PostgreSQL's, stacked."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from bench.report.plot import BAR, BAR_WIDTH, BAR_X, LABEL_X, ROW, STYLE, TITLE, WIDTH
from bench.report.targets import number

TITLE_TEXT = "CPU of one message against the stored messages"
LEGEND = "ms of CPU: our processes (dark) and PostgreSQL (light)"


def draw(figures: Mapping[str, Any], parts: Mapping[str, str]) -> str:
    """A group of bars for each part (its name, and its words) that was measured at several ages; empty if none was."""
    shown: list[str] = []
    y = 36
    for name, words in parts.items():
        bars = list(_ages(name, figures))
        if len(bars) > 1:
            shown.append(f'<text class="title" x="8" y="{y + 20}">{escape(words)}</text>')
            y += TITLE - 8
            longest = max(ours + postgres for _, ours, postgres in bars)
            for stored, ours, postgres in bars:
                shown.append(_bar(y, stored, ours, postgres, BAR_WIDTH / longest))
                y += ROW
            y += 8
    if not shown:
        return ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    legend = f'<text x="8" y="20">{LEGEND}</text>'
    return "\n".join([head, f"<title>{TITLE_TEXT}</title>", f"<style>{STYLE}</style>", legend, *shown, "</svg>"]) + "\n"


def _ages(name: str, figures: Mapping[str, Any]) -> Iterator[tuple[int, float, float]]:
    """Stored messages, our CPU-ms and PostgreSQL's, by age."""
    found = []
    for key, measured in figures.items():
        part, _, stored = key.partition("_at_")
        if part == name and "postgres_cpu_ms" in measured:
            found.append((int(stored or 0), measured["cpu_ms"], measured["postgres_cpu_ms"]))
    yield from sorted(found)


def _bar(y: int, stored: int, ours: float, postgres: float, scale: float) -> str:
    end = BAR_X + ours * scale
    return (
        f'<text class="label" x="{LABEL_X}" y="{y + 12}">{stored:,} stored</text>'
        f'<rect class="ours" x="{BAR_X}" y="{y}" width="{ours * scale:.1f}" height="{BAR}" rx="2"/>'
        f'<rect class="stock" x="{end:.1f}" y="{y}" width="{postgres * scale:.1f}" height="{BAR}" rx="2"/>'
        f'<text x="{end + postgres * scale + 6:.1f}" y="{y + 12}">{number(ours)} + {number(postgres)}</text>'
    )
