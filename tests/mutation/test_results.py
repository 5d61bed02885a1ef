"""Verdicts survive a killed run, the first one stays, and the report counts them."""

from pathlib import Path

import pytest

from mutation.results import Result, Results, report


def result(key: str = "a", now: str = "passed", stage: str = "own tests") -> Result:
    return Result(key, "messaging/states.py", "may_move", 7, "a < b", "a <= b", now, now, stage, "", 1.0)


def test_a_later_run_finds_the_verdicts(tmp_path: Path) -> None:
    Results(tmp_path, "messaging/outgoing", 1).add(result())
    assert Results(tmp_path, "messaging/outgoing", 1).by_key == {"a": result()}


def test_the_first_verdict_stays_beside_the_present_one(tmp_path: Path) -> None:
    results = Results(tmp_path, "analytics", 1)
    for now, stage in (("passed", "own tests"), ("passed", "own folder"), ("failed", "own tests")):
        results.add(result(now=now, stage=stage))
    kept = results.by_key["a"]
    assert (kept.first, kept.now) == ("passed", "failed")


@pytest.mark.parametrize(("now", "noticed"), [("passed", False), ("failed", True), ("timeout", True)])
def test_a_failure_and_a_hang_are_noticed(now: str, noticed: bool) -> None:
    assert result(now=now).noticed is noticed


def test_a_survivor_of_its_own_tests_meets_further_tests() -> None:
    assert [result(stage=stage).settled for stage in ("own tests", "own folder")] == [False, True]


def test_the_report_has_a_line_for_each_package_and_for_each_survivor_that_is_not_explained(tmp_path: Path) -> None:
    results = Results(tmp_path, "waproject/sqs", 2)
    results.add(result("a", "failed"))
    results.add(result("b", "passed", "own folder"))
    results.add(result("c", "passed", "own folder"))
    text = report(tmp_path, {"c"})
    assert "| `waproject/sqs` | 2 | 3 | 1 (33%) | 1 (33%) | 1 | 1 |" in text
    assert "- `b` messaging/states.py:7 may_move: `a < b` → `a <= b` (own folder)" in text
    assert "- `a`" not in text and "- `c`" not in text
