"""Response times of the analytics API and page over 90 days, over HTTP, in time zones of all kinds."""

import os
import random
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from bench.analytics.filling import DAYS, fill
from bench.errors import BenchError
from bench.pipeline.history import by_key, getter, logged_in
from bench.pipeline.running import Pipeline
from testkit.processes import CHECKOUT, python
from testkit.statistics import summary
from testkit.waiting import eventually

MESSAGES = 10_000_000
# Of each endpoint and zone, over its variants in turn.
REQUESTS = 68
PERCENT = 95
# Whole hours, half hours, and summer time, which ends within the ninety days of this autumn.
ZONES = ("UTC", "Asia/Kolkata", "Europe/Berlin")
SUMMED_S = 900
_SEED = 21
# Costs are asked with a list of prices.
CARD = "docs/examples/example-rate-card.csv"
_SUMMED = "SELECT count(*) FROM analytics_day WHERE dirty_since IS NOT NULL AND start < now() - interval '24 hours'"

# What the rebuild counts need not be read by the sweep, which would make it dirty once more.
_READ = """
INSERT INTO analytics_cursor (name, position) SELECT 'rollups', COALESCE(max(id), 0) FROM messaging_messageevent
ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position, seen_id = NULL, mark_id = NULL, mark_xid = NULL
"""
_MARKED = """
SELECT count(DISTINCT date_trunc('day', start, 'UTC')) FROM analytics_bucket
WHERE start >= date_trunc('day', now(), 'UTC') - %s * interval '24 hours' AND start < date_trunc('day', now(), 'UTC')
"""

VARIANTS: dict[str, tuple[Mapping[str, object], ...]] = {
    "summary": (
        {},
        {"group_by": "template"},
        {"group_by": "sender,direction"},
        {"campaign": "campaign 14"},
        {"group_by": "template,country"},
    ),
    "timeseries": ({}, {"granularity": "week"}, {"group_by": "template", "limit": 10}, {"country": "49"}),
    "funnel": ({}, {"group_by": "campaign"}, {"template": "notice_31"}),
    "errors": ({}, {"campaign": "campaign 14"}, {"group_by": "sender"}, {"group_by": "template"}),
    "templates": ({}, {"sender": "902"}),
    "campaigns": ({}, {"limit": 20}),
    "costs": ({}, {"granularity": "day"}, {"group_by": "campaign"}, {"group_by": "market,category"}),
    "conversations": ({}, {"group_by": "sender"}),
    "page": ({}, {"granularity": "week"}, {"campaign": "campaign 14"}, {"template": "notice_31"}),
}


def measure(pipeline: Pipeline, messages: int = MESSAGES, days: int = DAYS, rounds: int = REQUESTS) -> dict[str, Any]:
    """{messages, filled_s, counted_s, <endpoint>: {p50_ms, p95_ms, slowest_ms}, zones: {<zone>: {...}}}.

    The messages are made, counted by `manage.py rebuild_rollups`, and their days summed up by the analytics worker,
    before anything is asked; what a database of an earlier run has of it stays. No other load runs.
    """
    filled_s = fill(pipeline.connect, messages, days)
    counted_s = _count(pipeline, days)
    _manage(pipeline, "import_rate_card", CARD, "--currency=USD", "--valid-from=2026-01-01")
    get = getter(by_key(pipeline), pipeline.env["BASE_URL"])
    page = getter(logged_in(pipeline), pipeline.env["BASE_URL"])
    ((since, until),) = pipeline.ask(
        "SELECT (date_trunc('day', now(), 'UTC') AT TIME ZONE 'UTC')::date - %s::int,"
        " (date_trunc('day', now(), 'UTC') AT TIME ZONE 'UTC')::date",
        days,
    )
    asked = [
        (
            name,
            zone,
            _path(name, {"since": since, "until": until, "timezone": zone, **VARIANTS[name][n % len(VARIANTS[name])]}),
        )
        for name in VARIANTS
        for zone in ZONES
        for n in range(rounds)
    ]
    for path in dict.fromkeys(path for _, _, path in asked):
        (page if path.startswith("/analytics/?") else get)(path)
    # The days of other zones are summed up once they are asked for.
    _wait_for_days(pipeline)
    random.Random(_SEED).shuffle(asked)  # noqa: S311 - the same order in each run
    taken = [(name, zone, (page if name == "page" else get)(path)) for name, zone, path in asked]
    return {
        "messages": messages,
        "filled_s": filled_s,
        "counted_s": counted_s,
        **{name: summary([ms for of, _, ms in taken if of == name], PERCENT) for name in VARIANTS},
        "zones": {
            zone.replace("/", " "): summary([ms for _, of, ms in taken if of == zone], PERCENT) for zone in ZONES
        },
    }


def _path(name: str, query: Mapping[str, object]) -> str:
    return f"/analytics/{'' if name == 'page' else name}?{urlencode(query)}"


def _count(pipeline: Pipeline, days: int) -> float:
    """Count what was never counted, and wait until its days are summed up; the seconds. Raises BenchError."""
    begun = time.monotonic()
    pipeline.execute(_READ)
    ((middle,),) = pipeline.ask("SELECT date_trunc('day', now(), 'UTC') - %s * interval '24 hours'", days // 2)
    # A rebuild marks all of its period before it counts the first.
    marked = pipeline.ask(_MARKED, days)[0][0] >= days
    again = ["--resume"] if marked else []
    halves = [["--until", f"{middle:%Y-%m-%d}"], ["--since", f"{middle:%Y-%m-%d}"]]
    with ThreadPoolExecutor(len(halves)) as pool:
        list(pool.map(lambda half: _manage(pipeline, "rebuild_rollups", *half, *again), halves))
    _wait_for_days(pipeline)
    if not marked:
        pipeline.execute(
            "VACUUM ANALYZE analytics_rollup, analytics_histogram, analytics_dimensions, analytics_charge,"
            " analytics_daycharge, analytics_runningcharge"
        )
    return time.monotonic() - begun


def _manage(pipeline: Pipeline, command: str, *arguments: str) -> None:
    done = subprocess.run(
        python("manage.py", command, *arguments),
        env={**os.environ, **pipeline.env}, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=2, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"{command} failed")


def _wait_for_days(pipeline: Pipeline) -> None:
    if not eventually(lambda: pipeline.ask(_SUMMED)[0][0] == 0, SUMMED_S, 1):
        raise BenchError(f"days were not summed up within {SUMMED_S} s")
