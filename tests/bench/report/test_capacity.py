"""The capacity and the cost in docs/deploy.md are those of the bench's figures."""

import json
from typing import Any

import pytest

from bench.report import capacity, page


@pytest.fixture
def figures() -> dict[str, Any]:
    """The figures of the current page."""
    found: dict[str, Any] = json.loads(page.FIGURES.read_text())
    return found


def test_the_page_shows_the_figures_that_are_kept(figures: dict[str, Any]) -> None:
    written = capacity.with_tables(capacity.PAGE.read_text(), figures)
    assert written == capacity.PAGE.read_text(), "run: python -m bench page"


def test_a_process_carries_what_seven_tenths_of_its_cpu_allow(figures: dict[str, Any]) -> None:
    figures["send"]["cpu_ms_by_process"]["outgoing"] = 1.0
    assert "| outgoing | 1.00 | 700 | 175 (0.25 vCPU) |" in capacity.capacity(figures)


def test_a_million_messages_cost_their_requests_and_cpu(figures: dict[str, Any]) -> None:
    figures["send"] |= {"requests_per_message": 0.4, "cpu_ms_by_process": {"web": 3.0, "outgoing": 1.2}}
    figures["status"] |= {"requests_per_message": 0.5, "cpu_ms_by_process": {"web": 1.0}}
    shown = capacity.cost(figures)
    assert "| 1.9 million requests | $0.76 at $0.40 a million, June 2026 |" in shown
    assert "| CPU: 4.2 ms a send, 1.00 ms a status | 2.0 vCPU-hours | $0.08 |" in shown
