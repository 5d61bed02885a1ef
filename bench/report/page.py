"""The performance page, docs/performance.md with its plot: between its markers nothing is written by hand.

docs/performance.json keeps the figures that the page shows, so that a test can compare the page with them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.report import age_plot, capacity, plot
from bench.report.markers import between
from bench.report.targets import COSTS, judge, look_up, number, row
from testkit.processes import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"
PLOT = PAGE.with_suffix(".svg")
AGE_PLOT = PAGE.with_name("performance-age.svg")
FIGURES = PAGE.with_suffix(".json")
BEGIN = "<!-- figures: `python -m bench page` writes what follows -->"
END = "<!-- end of figures -->"
COLUMNS = {
    "msg_per_s": "messages/s",
    "cpu_ms": "CPU ms",
    "requests_per_message": "requests",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
}
SETUP_COLUMNS = {"concurrency": "concurrency", "prefetch_multiplier": "prefetch multiplier"}
COST_COLUMNS = {
    "cpu_ms": "our CPU ms",
    "postgres_cpu_ms": "PostgreSQL's CPU ms",
    "requests_per_message": "SQS requests",
    "queries_per_message": "statements",
    "wal_bytes": "WAL bytes",
    "full_page_images": "full-page images",
    "pages_written": "pages written",
}
CASES = {"backlog": "backlog", "backlog_10ms": "backlog, SQS at 10 ms", "steady_80": "80/s"}
SIDE_BY_SIDE = {
    **{
        f"{title}, {pool}": f"transport.{{}}.{case}.{pool}"
        for case, title in CASES.items()
        for pool in ("prefork", "threads")
    },
    "publish many": "publish.{}",
    "webhook": "webhook.{}",
}


def write(figures: Mapping[str, Any]) -> None:
    """Bring page, plot, kept figures and the tables of docs/deploy.md up to date."""
    PAGE.write_text(with_tables(PAGE.read_text(), figures))
    capacity.PAGE.write_text(capacity.with_tables(capacity.PAGE.read_text(), figures))
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    write_plot(figures)


def write_plot(figures: Mapping[str, Any]) -> None:
    """Bring the plots alone up to date; a plot without figures stays as it is."""
    PLOT.write_text(plot.draw(figures))
    if by_age := age_plot.draw(figures, COSTS):
        AGE_PLOT.write_text(by_age)


def with_tables(page: str, figures: Mapping[str, Any]) -> str:
    """The page with these figures between its markers. Raises ValueError where those are missing."""
    return between(page, BEGIN, END, tables(figures))


def tables(figures: Mapping[str, Any]) -> str:
    """All tables, in Markdown."""
    parts = [
        _table(("what", "measured", "target", ""), [row(one) for one in judge(figures)]),
        "Ours and stock Celery:",
        _table(("what", "", *COLUMNS.values(), *SETUP_COLUMNS.values()), list(_side_by_side(figures))),
        *_cost_table(list(_costs(figures))),
        "Where the CPU of a send and of a status webhook goes, in ms, and the statements that PostgreSQL gets for one:",
        _table(("process", "send", "its statements", "status", "its statements"), list(_processes(figures))),
        *_measured(figures),
    ]
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def _side_by_side(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    for title, path in SIDE_BY_SIDE.items():
        for kind in ("stock", "ours"):
            values = [look_up(figures, f"{path.format(kind)}.{column}") for column in COLUMNS]
            if title == "webhook":
                values[0] = look_up(figures, f"webhook.{kind}.per_s")
            if any(value is not None for value in values):
                cells = ["" if value is None else number(value) for value in values]
                setup = [look_up(figures, f"{path.format(kind)}.{column}") for column in SETUP_COLUMNS]
                yield [title, kind, *cells, *("" if value is None else f"{value:g}" for value in setup)]


def _cost_table(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    return ["The cost of one, in all our processes and in PostgreSQL:", _table(("one", *COST_COLUMNS.values()), rows)]


def _costs(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    for name in figures:
        part, _, stored = name.partition("_at_")
        if part in COSTS and "postgres_cpu_ms" in figures[name]:
            values = [look_up(figures, f"{name}.{column}") for column in COST_COLUMNS]
            title = f"{COSTS[part]}, at {int(stored):,} stored messages" if stored else COSTS[part]
            yield [title, *("" if value is None else number(value) for value in values)]


def _processes(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    for process in figures.get("send", {}).get("cpu_ms_by_process", {}):
        cells = [
            look_up(figures, f"{lane}.{kind}_by_process.{process}")
            for lane in ("send", "status")
            for kind in ("cpu_ms", "queries")
        ]
        yield [process, *("" if cell is None else number(cell) for cell in cells)]


def _measured(figures: Mapping[str, Any]) -> Iterator[str]:
    """When, how often and on what; one sentence for all parts that share these."""
    together: dict[str, list[str]] = {}
    for name, about in figures["measured"].items():
        machine = about["machine"]
        versions = ", ".join(f"{package} {version}" for package, version in list(machine.items())[4:])
        sentence = (
            f"{about['date'][:10]}, {_runs(about['runs'])}, {machine['cpu']}, {machine['cores']} cores, "
            f"{machine['memory_gb']} GB, {machine['kernel']}; {versions}{_yardstick(about)}"
        )
        together.setdefault(sentence, []).append(name)
    for sentence, names in together.items():
        yield f"Measured {sentence} ({', '.join(names)})." if len(together) > 1 else f"Measured {sentence}."


def _runs(number: int) -> str:
    return "once" if number == 1 else f"medians of {number} runs"


def _yardstick(about: Mapping[str, Any]) -> str:
    """The machine's speed during the measurement, where it was measured."""
    if (yardstick := about.get("yardstick")) is None:
        return ""
    return f"; yardstick {number(yardstick['warm_ms'])} ms, {number(yardstick['cold_ms'])} ms at 80/s"
