"""`python -m bench`: every measurement in its short form, with real processes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.comparison.transport import CONCURRENCIES, MULTIPLIERS
from bench.measurements import BY_DEFAULT
from bench.pipeline.running import PROCESSES
from bench.report.targets import COSTS, QUESTIONS, TARGETS, look_up
from testkit.processes import CHECKOUT, python

# Four minutes on an idle machine, and pytest's limit of a test is for less.
BENCH_S = 1200
pytestmark = pytest.mark.timeout(BENCH_S + 100)


def bench(var: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        python("-m", "bench", *arguments),
        env={**os.environ, "VAR_DIR": str(var)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=BENCH_S,
    )


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a short run of everything."""
    var = tmp_path_factory.mktemp("bench")
    run = bench(var, "--short")
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads((var / "bench-short.json").read_text())
    return found


@pytest.mark.bench
def test_every_part_is_measured(figures: dict[str, Any]) -> None:
    assert figures.keys() - {"measured"} == {*BY_DEFAULT}


@pytest.mark.bench
def test_the_machine_is_named(figures: dict[str, Any]) -> None:
    machine = figures["measured"]["send"]["machine"]
    assert all(machine[name] for name in ("cpu", "cores", "kernel", "python", "celery", "kombu"))


@pytest.mark.bench
def test_every_target_finds_its_figure(figures: dict[str, Any]) -> None:
    # The short form leaves out slow SQS, the steady load and prefork, and has too few samples for a p95 or p99. Ages
    # and parts that are measured only when they are named have targets too.
    left_out = [
        target
        for target in TARGETS
        if ("transport" in target.path and "backlog.threads" not in target.path)
        or "p9" in target.path
        or target.path.partition(".")[0] not in BY_DEFAULT
    ]
    paths = {path for target in TARGETS if target not in left_out for path in (target.path, target.of) if path}
    assert [path for path in paths if look_up(figures, path) is None] == []


@pytest.mark.bench
@pytest.mark.parametrize("part", COSTS)
def test_the_cost_of_a_message_includes_postgresql_and_all_our_processes(figures: dict[str, Any], part: str) -> None:
    assert figures[part]["cpu_ms_by_process"].keys() == set(PROCESSES)
    assert figures[part]["cpu_ms"] == pytest.approx(sum(figures[part]["cpu_ms_by_process"].values()))
    assert all(figures[part][cost] > 0 for cost in ("postgres_cpu_ms", "wal_bytes", "pages_written"))


@pytest.mark.bench
def test_a_part_that_ran_once_is_reported_as_one_run(figures: dict[str, Any]) -> None:
    assert {about["runs"] for about in figures["measured"].values()} == {1}


@pytest.mark.bench
def test_stock_runs_with_one_of_the_set_ups_that_were_tried(figures: dict[str, Any]) -> None:
    stock = figures["transport"]["stock"]["backlog"]["threads"]
    assert stock["prefetch_multiplier"] in MULTIPLIERS
    assert stock["concurrency"] in CONCURRENCIES["threads"]


@pytest.mark.bench
def test_a_webhook_makes_no_database_query(figures: dict[str, Any]) -> None:
    assert figures["webhooks_300"]["web_queries"] == 0


@pytest.mark.bench
def test_a_send_takes_its_share_of_each_process(figures: dict[str, Any]) -> None:
    statements = figures["send"]["queries_by_process"]
    assert all(statements[process] > 0 for process in ("web", "dispatcher", "outgoing"))


def test_a_wrong_name_is_answered_with_the_right_ones(tmp_path: Path) -> None:
    run = bench(tmp_path, "sned")
    assert (run.returncode, "sned" in run.stderr, "send" in run.stderr) == (1, True, True)


@pytest.mark.bench
def test_analytics_is_measured_when_it_is_named_and_keeps_its_database(tmp_path: Path) -> None:
    database = tmp_path / "database"
    run = bench(tmp_path, "analytics", "--short", "--database", str(database))
    assert run.returncode == 0, run.stderr
    found = json.loads((tmp_path / "bench-short.json").read_text())["analytics"]
    assert all(found[name]["slowest_ms"] > 0 for name in QUESTIONS)
    assert (database / "18" / "PG_VERSION").exists()


def test_parts_that_begin_with_an_empty_database_keep_none(tmp_path: Path) -> None:
    run = bench(tmp_path, "send", "--short", "--database", str(tmp_path))
    assert (run.returncode, "other parts begin with an empty one" in run.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("page", "send"), "No page is called send"),
        (("send", "page"), "page stands alone"),
        (("--short", "page"), "--short does not apply to page"),
        (("plot", "--short"), "--short does not apply to plot"),
        (("send", "--stored", "-1"), "--stored"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    for name in ("bench.json", "bench-short.json"):
        (tmp_path / name).write_text("{}")
    run = bench(tmp_path, *arguments)
    assert (run.returncode > 0, words in run.stderr, "Traceback" in run.stderr) == (True, True, False), run.stderr


def test_a_report_that_cannot_be_read_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "bench.json").write_text('{"send": ')
    run = bench(tmp_path, "publish")
    assert (run.returncode, "bench.json cannot be read" in run.stderr) == (1, True), run.stderr
