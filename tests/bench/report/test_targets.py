"""The judgement of figures by targets."""

import pytest

from bench.report.targets import TARGETS, Target, judge, look_up, number, row

AT_MOST_5 = Target("CPU per send", "send.cpu_ms", "≤", 5, "ms")
TEN_TIMES = Target("drain", "ours.per_s", "≥", 10, "of stock", "stock.per_s")


@pytest.mark.parametrize(("figure", "met"), [(4.9, True), (5.0, True), (5.1, False)])
def test_a_figure_may_reach_its_limit_and_not_pass_it(figure: float, met: bool) -> None:
    (judged,) = judge({"send": {"cpu_ms": figure}}, (AT_MOST_5,))
    assert judged.met is met


@pytest.mark.parametrize(("ours", "met"), [(990, False), (1000, True)])
def test_a_ratio_is_of_ours_to_stock(ours: float, met: bool) -> None:
    (judged,) = judge({"ours": {"per_s": ours}, "stock": {"per_s": 100}}, (TEN_TIMES,))
    assert judged.met is met


def test_a_target_without_figures_is_not_judged() -> None:
    assert judge({"ours": {"per_s": 1}}, (AT_MOST_5, TEN_TIMES)) == []


def test_a_missed_target_is_reported_as_missed() -> None:
    assert row(judge({"send": {"cpu_ms": 6.25}}, (AT_MOST_5,))[0]) == ("CPU per send", "6.25 ms", "≤ 5 ms", "missed")


def test_no_target_is_listed_twice() -> None:
    assert (
        len({target.title for target in TARGETS})
        == len({(target.path, target.of) for target in TARGETS})
        == len(TARGETS)
    )


def test_a_path_that_ends_early_has_no_figure() -> None:
    assert look_up({"send": 3.0}, "send.cpu_ms") is None


@pytest.mark.parametrize(("value", "text"), [(0, "0.00"), (0.254, "0.25"), (12.34, "12.3"), (4213.3, "4,213")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text
