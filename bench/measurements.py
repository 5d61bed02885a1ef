"""The table of measurements, and a run of them."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import yardstick
from bench.accounts import many_templates, messaging_limit, template_checks
from bench.analytics import counting, events, questions
from bench.comparison import publish, transport, webhook
from bench.pipeline import delivering, history, receiving, retention, sending, stored, task_size
from bench.pipeline.running import Pipeline
from bench.report.medians import medians


@dataclass(frozen=True, slots=True)
class Measurement:
    """`full` and `short` give one run's figures; the short one only shows that it works.

    `in_pipeline`: it needs the running pipeline. `once`: too long to repeat. `last`: it leaves so much behind that
    nothing can be measured after it. `named`: too long to be measured unless it is asked for.
    """

    full: Callable[..., Any]
    short: Callable[..., Any]
    in_pipeline: bool = False
    once: bool = False
    last: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """Figures: medians of this many runs. `yardstick`: of the same runs."""

    figures: Any
    runs: int
    yardstick: dict[str, float]


MEASUREMENTS = {
    "transport": Measurement(
        transport.measure,
        partial(transport.measure, share=0.05, pools=("threads",), cases=("backlog",), multipliers=(10, 50)),
    ),
    "publish": Measurement(publish.measure, partial(publish.measure, 200)),
    "webhook": Measurement(webhook.measure, partial(webhook.measure, 0.5, 100)),
    "idle": Measurement(transport.idle, partial(transport.idle, 1.0), once=True),
    "retention": Measurement(
        retention.measure, partial(retention.measure, messages=5_000, seconds=0.5, turns=1), once=True, named=True
    ),
    "limit": Measurement(messaging_limit.measure, partial(messaging_limit.measure, stored=1000, rounds=3), once=True),
    "checks": Measurement(template_checks.measure, partial(template_checks.measure, checks=3), once=True),
    "templates": Measurement(
        many_templates.measure, partial(many_templates.measure, templates=300, requests_each=3), once=True
    ),
    "send": Measurement(sending.measure, partial(sending.measure, seconds=1.0, warm_up_s=0.5), in_pipeline=True),
    "bulk": Measurement(
        sending.measure_bulk, partial(sending.measure_bulk, messages=200, counted=50), in_pipeline=True, once=True
    ),
    "status": Measurement(
        receiving.measure_statuses,
        partial(receiving.measure_statuses, messages=50, counted=10),
        in_pipeline=True,
    ),
    "statuses_1000": Measurement(
        receiving.measure_thousands, partial(receiving.measure_thousands, rounds=1, size=50), in_pipeline=True
    ),
    "deliveries": Measurement(delivering.measure, partial(delivering.measure, seconds=1.0), in_pipeline=True),
    "webhooks_300": Measurement(
        receiving.measure_webhooks,
        partial(receiving.measure_webhooks, seconds=1.0, counted_s=1.0),
        in_pipeline=True,
        once=True,
    ),
    "events": Measurement(events.measure, partial(events.measure, events=400, batch=100), in_pipeline=True, once=True),
    "rollups": Measurement(counting.measure, partial(counting.measure, messages=200), in_pipeline=True, once=True),
    "beside_rollups": Measurement(
        counting.measure_beside,
        partial(counting.measure_beside, rounds=1, seconds=1.0, messages=20),
        in_pipeline=True,
        once=True,
    ),
    "dirty_quarter": Measurement(
        counting.measure_quarter,
        partial(counting.measure_quarter, messages=500),
        in_pipeline=True,
        once=True,
    ),
    "task_size": Measurement(task_size.measure, partial(task_size.measure, seconds=1.0), in_pipeline=True, once=True),
    "stops": Measurement(
        task_size.measure_stops, partial(task_size.measure_stops, lead_s=0.3), in_pipeline=True, once=True
    ),
    "history": Measurement(
        history.measure, partial(history.measure, messages=2000, rounds=3), in_pipeline=True, once=True, last=True
    ),
    "analytics": Measurement(
        questions.measure,
        partial(questions.measure, messages=3000, days=3, rounds=4),
        in_pipeline=True,
        once=True,
        last=True,
        named=True,
    ),
}
# Of the yardstick, in a short run.
SHORT_TURNS = 5
BY_DEFAULT = tuple(name for name, measurement in MEASUREMENTS.items() if not measurement.named)
# The parts that `--stored` measures by default.
AT_AN_AGE = ("send", "bulk", "status", "webhooks_300", "deliveries", "history")


def measure(
    names: Sequence[str],
    runs: int,
    *,
    short: bool = False,
    stored_messages: int = 0,
    database: Path | None = None,
) -> Iterator[dict[str, Result]]:
    """The results by name, in parts as they are known, so that a later failure does not take them along.

    With `stored_messages` the pipeline has this many from earlier days, and a name is `<name>_at_<stored_messages>`.
    A `database` directory is used and kept. Raises BenchError, and whatever a broken measurement raises.
    """
    alone = [name for name in names if not MEASUREMENTS[name].in_pipeline]
    together = [name for name in names if MEASUREMENTS[name].in_pipeline]
    yield _repeat(alone, runs, short)
    if together:
        with Pipeline(database=database) as pipeline:
            if stored_messages:
                filled_s = stored.fill_once(pipeline, stored_messages)
                print(f"{stored_messages:,} messages stored in {filled_s:.0f} s", file=sys.stderr, flush=True)
            suffix = f"_at_{stored_messages}" if stored_messages else ""
            yield _repeat(
                [name for name in together if not MEASUREMENTS[name].last], runs, short, pipeline, suffix=suffix
            )
            yield _repeat([name for name in together if MEASUREMENTS[name].last], 1, short, pipeline, suffix=suffix)


def _repeat(names: Sequence[str], runs: int, short: bool, *given: Pipeline, suffix: str = "") -> dict[str, Result]:
    results: dict[str, list[Any]] = {name: [] for name in names}
    yardsticks: list[dict[str, float]] = []
    for run in range(runs if names else 0):
        yardsticks.append(yardstick.measure(SHORT_TURNS) if short else yardstick.measure())
        for name in names:
            measurement = MEASUREMENTS[name]
            if run and measurement.once:
                continue
            begun = time.monotonic()
            results[name].append((measurement.short if short else measurement.full)(*given))
            print(f"run {run + 1}: {name}, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return {
        f"{name}{suffix}": Result(medians(figures), len(figures), medians(yardsticks[: len(figures)]))
        for name, figures in results.items()
    }
