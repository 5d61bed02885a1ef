"""docs/performance.md and its plot are those of the figures that are kept beside them."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.report import page, plot
from bench.report.targets import judge


@pytest.fixture
def figures() -> dict[str, Any]:
    """The figures of the current page."""
    found: dict[str, Any] = json.loads(page.FIGURES.read_text())
    return found


def test_the_page_shows_the_figures_that_are_kept(figures: dict[str, Any]) -> None:
    assert page.with_tables(page.PAGE.read_text(), figures) == page.PAGE.read_text(), "run: python -m bench page"


def test_the_plot_shows_the_figures_that_are_kept(figures: dict[str, Any]) -> None:
    assert plot.draw(figures) == page.PLOT.read_text(), "run: python -m bench page"


def test_the_page_has_every_target_that_was_judged(figures: dict[str, Any]) -> None:
    shown = page.tables(figures)
    assert all(f"| {judged.target.title} |" in shown for judged in judge(figures))


def test_a_page_without_markers_is_left_alone(figures: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="markers"):
        page.with_tables("# Performance", figures)


def test_text_outside_the_markers_stays(figures: dict[str, Any]) -> None:
    written = page.with_tables(f"before {page.BEGIN} old {page.END} after", figures)
    assert (written.startswith("before "), written.endswith(" after"), " old " in written) == (True, True, False)


def test_a_plot_is_xml_with_a_bar_for_each_figure() -> None:
    drawn = plot.draw({"publish": {"ours": {"cpu_ms": 0.2}, "stock": {"cpu_ms": 0.8}}})
    bars = ElementTree.fromstring(drawn).findall("{http://www.w3.org/2000/svg}rect")  # noqa: S314 - drawn a line above
    assert [bar.get("class") for bar in bars] == ["stock", "ours"]


def test_a_plot_is_readable_in_the_dark() -> None:
    assert "prefers-color-scheme: dark" in plot.draw({})
