"""The transport's scenarios: what they count, and that a report tells all of it."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from chaos.__main__ import run
from chaos.scenario import Outcome, Scenario
from chaos.transport.witness import compare, executions

KILLED, ALIVE = frozenset({7, 8}), frozenset({9})


@pytest.mark.parametrize(
    ("ran", "left", "in_flight", "counted"),
    [
        ({1: [ALIVE]}, 0, 0, (0, 0, 0)),
        ({}, 0, 0, (1, 0, 0)),
        ({}, 1, 0, (0, 0, 1)),
        ({1: [ALIVE, ALIVE]}, 0, 5, (0, 1, 0)),
        ({1: [KILLED, ALIVE]}, 0, 5, (0, 0, 0)),
        ({1: [KILLED, ALIVE, ALIVE]}, 0, 5, (0, 1, 0)),
        ({1: [KILLED, ALIVE]}, 0, 0, (0, 1, 0)),
        ({1: [ALIVE], 2: [ALIVE, ALIVE]}, 0, 0, (0, 1, 0)),
    ],
)
def test_what_counts_as_lost_doubled_and_unsettled(
    ran: dict[int, list[frozenset[int]]], left: int, in_flight: int, counted: tuple[int, int, int]
) -> None:
    assert compare({1}, ran, left, {7}, in_flight) == counted


def test_what_workers_wrote_is_read_by_number(tmp_path: Path) -> None:
    (tmp_path / "witness").write_text("1 7 8\n2 9 9\n1 9 9\n")
    assert executions(tmp_path / "witness") == {1: [KILLED, ALIVE], 2: [ALIVE]}


def reported(found: Iterable[tuple[str, Outcome | None]], report: Path) -> bool:
    """Run scenarios that find this; one without an outcome crashes."""

    def scenario(name: str, outcome: Outcome | None) -> Scenario:
        def find(messages: int) -> Outcome:
            if outcome is None:
                raise RuntimeError("no port")
            return outcome

        return Scenario(name, 1000, 100, find)

    return run([scenario(*one) for one in found], short=True, report=report)


def test_a_run_holds_when_every_count_is_zero(tmp_path: Path) -> None:
    assert reported([("good", Outcome(0, 0, 0))], tmp_path / "chaos.json")


@pytest.mark.parametrize("outcome", [Outcome(1, 0, 0), Outcome(0, 1, 0), Outcome(0, 0, 1), None])
def test_a_run_fails_when_one_scenario_does(outcome: Outcome | None, tmp_path: Path) -> None:
    assert not reported([("bad", outcome), ("good", Outcome(0, 0, 0))], tmp_path / "chaos.json")


def test_a_scenario_that_crashes_is_reported_and_the_others_still_run(tmp_path: Path) -> None:
    reported([("bad", None), ("good", Outcome(0, 0, 0))], tmp_path / "chaos.json")
    rows = json.loads((tmp_path / "chaos.json").read_text())["scenarios"]
    assert [(row.pop("seconds") >= 0, row) for row in rows] == [
        (True, {"name": "bad", "messages": 100, "lost": 0, "doubled": 0, "unsettled": 100}),
        (True, {"name": "good", "messages": 100, "lost": 0, "doubled": 0, "unsettled": 0}),
    ]


def test_the_table_says_why_a_scenario_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reported([("bad", None)], tmp_path / "chaos.json")
    assert "stopped: RuntimeError: no port" in capsys.readouterr().out
