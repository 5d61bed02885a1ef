"""The judgement of scenarios, and the report of a run."""

import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from chaos.__main__ import main, run, run_inert
from chaos.scenario import Form, Harm, Outcome, Scenario, harm, no_harm
from chaos.suites import SCENARIOS

FORM = Form(messages=100, least_hits=5, load_s=1.0)
GOOD = Outcome(0, 0, 0, accepted=100, hits=5)


@pytest.mark.parametrize(
    ("outcome", "held"),
    [
        (GOOD, True),
        (Outcome(0, 0, 0, 101, 6), True),
        (Outcome(1, 0, 0, 100, 5), False),
        (Outcome(0, 1, 0, 100, 5), False),
        (Outcome(0, 0, 1, 100, 5), False),
        (Outcome(0, 0, 0, 99, 5), False),
        (Outcome(0, 0, 0, 0, 5), False),
        (Outcome(0, 0, 0, 100, 4), False),
        (Outcome(0, 0, 0, 100, 0), False),
    ],
)
def test_a_promise_holds_when_all_was_accepted_and_done_once_under_enough_hits(outcome: Outcome, held: bool) -> None:
    assert outcome.held(FORM) is held


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_needs_hits_and_messages_in_every_form(scenario: Scenario) -> None:
    forms = (scenario.full, scenario.short, scenario.inert)
    assert all(form.least_hits > 0 and form.messages > 0 for form in forms)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_scenario_holds_whose_fault_never_hit(scenario: Scenario) -> None:
    assert not any(
        Outcome(0, 0, 0, accepted=form.messages, hits=0).held(form) for form in (scenario.full, scenario.short)
    )


def test_harm_is_done_through_one_function_that_can_be_switched_off() -> None:
    done: list[int] = []
    harm(done.append, 1)
    no_harm(done.append, 2)
    assert done == [1]


def scenarios(found: Iterable[tuple[str, Outcome | None]]) -> Sequence[Scenario]:
    """Scenarios that find this; one without an outcome crashes."""

    def scenario(name: str, outcome: Outcome | None) -> Scenario:
        def find(form: Form, how: Harm) -> Outcome:
            if outcome is None:
                raise RuntimeError("no port")
            return outcome

        return Scenario(name, FORM, FORM, FORM, find)

    return [scenario(*one) for one in found]


def test_a_run_passes_if_every_scenario_held(tmp_path: Path) -> None:
    assert run(scenarios([("good", GOOD)]), short=True, report=tmp_path / "chaos.json")


@pytest.mark.parametrize("outcome", [Outcome(1, 0, 0, 100, 5), Outcome(0, 0, 0, 100, 0), None])
def test_a_run_fails_when_one_scenario_does(outcome: Outcome | None, tmp_path: Path) -> None:
    assert not run(scenarios([("bad", outcome), ("good", GOOD)]), short=True, report=tmp_path / "chaos.json")


@pytest.mark.parametrize(
    ("outcome", "noticed"),
    [
        (Outcome(0, 0, 0, 100, 0), True),
        (Outcome(0, 0, 0, 100, 4), True),
        (GOOD, False),  # it would hold without its fault
        (Outcome(1, 0, 0, 100, 0), False),  # red, but for another reason
        (Outcome(0, 0, 0, 0, 0), False),  # nothing was sent
        (None, False),
    ],
)
def test_an_inert_run_passes_only_if_each_scenario_misses_hits_and_nothing_else(
    outcome: Outcome | None, noticed: bool
) -> None:
    assert run_inert(scenarios([("inert", outcome)])) is noticed


def test_a_scenario_that_crashes_is_reported_and_the_others_still_run(tmp_path: Path) -> None:
    run(scenarios([("bad", None), ("good", GOOD)]), short=True, report=tmp_path / "chaos.json")
    rows = json.loads((tmp_path / "chaos.json").read_text())["scenarios"]
    zero = {"messages": 100, "lost": 0, "doubled": 0, "least_hits": 5}
    assert [(row.pop("seconds") >= 0, row) for row in rows] == [
        (True, {"name": "bad", **zero, "unsettled": 100, "accepted": 0, "hits": 0, "held": False}),
        (True, {"name": "good", **zero, "unsettled": 0, "accepted": 100, "hits": 5, "held": True}),
    ]


def test_the_table_says_why_a_scenario_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(scenarios([("bad", None)]), short=True, report=tmp_path / "chaos.json")
    assert "stopped: RuntimeError: no port" in capsys.readouterr().out


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """`python -m chaos` with these scenarios and arguments; its reports are in `tmp_path`."""

    def chaos(found: Sequence[Scenario], *arguments: str) -> int:
        monkeypatch.setattr("chaos.__main__.SCENARIOS", found)
        monkeypatch.setattr(sys, "argv", ["chaos", *arguments])
        return main()

    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    yield chaos
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("arguments", "report"),
    [((), "chaos.json"), (("good",), "chaos-part.json"), (("--short",), "chaos-part.json")],
)
def test_only_a_whole_run_replaces_the_report_of_one(
    command: Callable[..., int], arguments: tuple[str, ...], report: str, tmp_path: Path
) -> None:
    assert command(scenarios([("good", GOOD), ("goodness", GOOD)]), *arguments) == 0
    assert [file.name for file in tmp_path.iterdir()] == [report]


def test_sigterm_lets_a_scenario_stop_its_servers(command: Callable[..., int]) -> None:
    stopped: list[str] = []

    def find(form: Form, how: Harm) -> Outcome:
        try:
            signal.raise_signal(signal.SIGTERM)
            return GOOD
        finally:
            stopped.append("server")

    # Without it SIGTERM would end this process.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with pytest.raises(SystemExit, match="ended by SIGTERM"):
        command([Scenario("killed", FORM, FORM, FORM, find)])
    assert stopped == ["server"]
