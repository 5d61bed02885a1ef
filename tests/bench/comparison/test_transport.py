"""Stock Celery is compared at its fastest set-up."""

from collections.abc import Iterator

import pytest

from bench.comparison import transport
from bench.comparison.transport import Setup, fastest, fastest_setup

# By concurrency and prefetch multiplier. The fastest one costs the most CPU.
BACKLOG: dict[Setup, dict[str, float]] = {
    (2, 2): {"msg_per_s": 380, "cpu_ms": 1.0},
    (2, 10): {"msg_per_s": 400, "cpu_ms": 1.1},
    (2, 50): {"msg_per_s": 970, "cpu_ms": 2.0},
    (1, 50): {"msg_per_s": 500, "cpu_ms": 0.9},
    (4, 50): {"msg_per_s": 990, "cpu_ms": 3.0},
    (4, 2): {"msg_per_s": 2000, "cpu_ms": 0.1},
}
STEADY: dict[Setup, dict[str, float]] = {
    (2, 2): {"msg_per_s": 80.2, "cpu_ms": 1.0, "p50_ms": 1.5},
    (2, 10): {"msg_per_s": 80.1, "cpu_ms": 2.0, "p50_ms": 1.2},
    (4, 10): {"msg_per_s": 80.3, "cpu_ms": 0.5, "p50_ms": 30},
}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Setup]]]:
    """The set-ups that were measured, with the figures of BACKLOG."""
    asked: list[tuple[str, Setup]] = []

    def measure_one(kind: str, pool: str, case: str, setup: Setup, share: float) -> dict[str, float]:
        asked.append((kind, setup))
        return BACKLOG[setup]

    monkeypatch.setattr(transport, "measure_one", measure_one)
    fastest_setup.cache_clear()
    yield asked
    fastest_setup.cache_clear()


@pytest.mark.parametrize(
    ("case", "tried", "best"),
    [("backlog", BACKLOG, (4, 2)), ("backlog_10ms", BACKLOG, (4, 2)), ("steady_80", STEADY, (2, 10))],
)
def test_the_fastest_set_up_is_the_best_whatever_its_cpu(
    case: str, tried: dict[Setup, dict[str, float]], best: Setup
) -> None:
    assert fastest(case, tried) == best


def test_prefetch_is_searched_first_and_then_concurrency(tried: list[tuple[str, Setup]]) -> None:
    best = fastest_setup("prefork", "backlog", (2, 10, 50), 1.0)
    assert tried == [("stock", setup) for setup in ((2, 2), (2, 10), (2, 50), (1, 50), (4, 50))]
    assert best == (4, 50)


def test_a_set_up_is_searched_once_for_all_runs(tried: list[tuple[str, Setup]]) -> None:
    assert len({fastest_setup("prefork", "backlog", (2, 10, 50), 1.0) for _ in range(3)}) == 1
    assert len(tried) == 5
