"""The report of a load test."""

from typing import Any

import pytest

from testkit.load.http_load import Answers
from testkit.load.witness import Verdict
from testkit.loadtest import plot
from testkit.loadtest.report import Findings, Stored, failures, lines_of, own_entries, percentiles, report, stored
from testkit.loadtest.run import Load


@pytest.mark.parametrize(
    ("taken", "found", "lost", "doubled"),
    [
        (["a", "b"], {"a": 1, "b": 1}, 0, 0),
        (["a", "b"], {"a": 1}, 1, 0),
        (["a", "b"], {"a": 2, "b": 1}, 0, 1),
        ([], {"a": 1}, 0, 0),
        (["a"], {}, 1, 0),
    ],
)
def test_a_webhook_is_stored_once(taken: list[str], found: dict[str, int], lost: int, doubled: int) -> None:
    assert stored(taken, found) == Stored(lost, doubled)


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (0, []),
        (1, ["slowest_ms"]),
        (20, ["p50_ms", "slowest_ms"]),
        (200, ["p50_ms", "p95_ms", "slowest_ms"]),
        (1000, ["p50_ms", "p95_ms", "p99_ms", "slowest_ms"]),
    ],
)
def test_only_percentiles_that_the_samples_carry_are_stated(count: int, names: list[str]) -> None:
    assert list(percentiles([float(n) for n in range(count)])) == names


def answers(*statuses: int) -> Answers:
    count = len(statuses)
    return Answers([0.1] * count, list(statuses), [b""] * count, [100.0, *[101.5] * (count - 1)], 2)


def load(sends: Answers, webhooks: Answers, interrupted: bool = False) -> Load:
    return Load("run", ["1", "2", "3"], sends, ["a", "b", "c"], webhooks, interrupted)


CLEAN = Findings(Verdict(0, 0, 0), Stored(0, 0), 2, {"read": 2}, [120.0, 130.0])


@pytest.mark.parametrize(
    ("findings", "statuses", "interrupted", "reasons"),
    [
        (CLEAN, (202, 202), False, []),
        (Findings(Verdict(1, 0, 0), Stored(0, 0), 2, {}, []), (202, 202), False, ["1 messages lost"]),
        (Findings(Verdict(0, 2, 0), Stored(0, 0), 2, {}, []), (202, 202), False, ["2 messages doubled"]),
        (Findings(Verdict(0, 0, 3), Stored(0, 0), 2, {}, []), (202, 202), False, ["3 messages not settled"]),
        (Findings(Verdict(0, 0, 0), Stored(4, 0), 2, {}, []), (202, 202), False, ["4 webhooks lost"]),
        (Findings(Verdict(0, 0, 0), Stored(0, 5), 2, {}, []), (202, 202), False, ["5 webhooks doubled"]),
        (CLEAN, (503, 0), False, ["2 requests failed"]),
        (CLEAN, (202, 202), True, ["1 interruption"]),
        (None, (202, 202), False, ["it is not known what became of the messages"]),
    ],
)
def test_a_load_test_fails_for_each_kind_of_fault(
    findings: Findings | None, statuses: tuple[int, ...], interrupted: bool, reasons: list[str]
) -> None:
    made = load(answers(*statuses), answers(200, 200), interrupted)
    assert failures(report(made, findings, {})) == reasons


def test_only_what_was_answered_counts_as_accepted() -> None:
    made = load(answers(202, 503), answers(200))
    assert (made.accepted, made.taken) == ({"1"}, {"a"})


def test_errors_are_counted_by_status() -> None:
    found = report(load(answers(202, 503, 0), answers(200)), CLEAN, {"rate": 5})
    assert (found["rate"], found["sends"]["errors"]) == (5, {"503": 1, "no answer": 1})


def test_the_words_name_errors_losses_and_latencies() -> None:
    text = "\n".join(lines_of(report(load(answers(202, 503), answers(200)), CLEAN, {})))
    assert all(part in text for part in ("1 of 503", "slowest 100 ms", "2 sent, 0 lost, 0 doubled", "slowest 130 ms"))


def test_a_plot_has_a_point_for_each_second_with_requests() -> None:
    assert [len(second) for second in plot.by_second(answers(202, 202, 202))] == [1, 2]


@pytest.mark.parametrize("sides", [{}, {"API sends": Answers()}, {"<b>": answers(202, 202)}])
def test_a_plot_of_anything_is_xml(sides: dict[str, Any]) -> None:
    from xml.etree import ElementTree

    ElementTree.fromstring(plot.draw(sides))  # noqa: S314 - drawn here


def test_a_send_of_another_run_to_a_recipient_of_ours_is_not_ours() -> None:
    interrupted = load(answers(202, 202), answers(200), interrupted=True)
    entries = [{"to": to, "received_at": 102.0} for to in ("1", "3")]
    assert [entry["to"] for entry in own_entries(interrupted, entries)] == ["1"]
