"""The table of what is measured, and a whole run of it."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import history, publish, receiving, sending, transport, webhook
from bench.pipeline import Pipeline
from bench.statistics import medians


@dataclass(frozen=True, slots=True)
class Measurement:
    """`full` and `short` give one run's figures; the short one only shows that it works.

    `once`: too long to repeat. `last`: it leaves so much behind that nothing can be measured after it.
    """

    full: Callable[..., Any]
    short: Callable[..., Any]
    # Whether it is given the running pipeline, or starts what it needs itself.
    in_pipeline: bool = False
    once: bool = False
    last: bool = False


MEASUREMENTS = {
    "transport": Measurement(
        transport.measure, partial(transport.measure, share=0.05, pools=("threads",), cases=("backlog",))
    ),
    "publish": Measurement(publish.measure, partial(publish.measure, 200)),
    "webhook": Measurement(webhook.measure, partial(webhook.measure, 0.5, 100)),
    "idle": Measurement(transport.idle, partial(transport.idle, 1.0), once=True),
    "send": Measurement(sending.measure, partial(sending.measure, seconds=1.0, warm_up_s=0.5), in_pipeline=True),
    "status": Measurement(
        receiving.measure_statuses, partial(receiving.measure_statuses, messages=50), in_pipeline=True
    ),
    "statuses_1000": Measurement(
        receiving.measure_thousands, partial(receiving.measure_thousands, rounds=1, size=50), in_pipeline=True
    ),
    "history": Measurement(
        history.measure, partial(history.measure, messages=2000, rounds=3), in_pipeline=True, last=True
    ),
    "webhooks_300": Measurement(
        receiving.measure_webhooks, partial(receiving.measure_webhooks, seconds=1.0), in_pipeline=True, once=True
    ),
}


def measure(names: Sequence[str], runs: int, *, short: bool = False) -> Iterator[dict[str, Any]]:
    """Medians over the runs, by name, in parts as they are known: what breaks later does not take them along.

    Raises BenchError, and whatever a broken measurement raises.
    """
    alone = [name for name in names if not MEASUREMENTS[name].in_pipeline]
    together = [name for name in names if MEASUREMENTS[name].in_pipeline]
    yield _repeat(alone, runs, short)
    if together:
        with Pipeline() as pipeline:
            yield _repeat([name for name in together if not MEASUREMENTS[name].last], runs, short, pipeline)
            yield _repeat([name for name in together if MEASUREMENTS[name].last], 1, short, pipeline)


def _repeat(names: Sequence[str], runs: int, short: bool, *given: Pipeline) -> dict[str, Any]:
    results: dict[str, list[Any]] = {name: [] for name in names}
    for run in range(runs):
        for name in names:
            measurement = MEASUREMENTS[name]
            if run and measurement.once:
                continue
            begun = time.monotonic()
            results[name].append((measurement.short if short else measurement.full)(*given))
            print(f"run {run + 1}: {name}, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return {name: medians(figures) for name, figures in results.items()}
