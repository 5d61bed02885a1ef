"""The bounds of the outgoing lane, and Meta's limit as they apply it."""

import pytest

from bench.outgoing_lane import missed, over_limit


@pytest.mark.parametrize(
    ("times", "refused"),
    [
        ([0.0] * 80, 0),
        ([0.0] * 82, 2),
        ([n / 79.9 for n in range(800)], 0),
        ([0.0] * 40 + [n / 79.9 for n in range(79)], 39),
    ],
)
def test_requests_beyond_metas_rate_in_any_second_are_over_the_limit(times: list[float], refused: int) -> None:
    assert over_limit(times) == refused


@pytest.mark.parametrize(
    ("figures", "count"),
    [
        ({"urgent_slowest_ms": 1000, "drain_per_s": 76}, 0),
        ({"urgent_slowest_ms": 1001}, 1),
        ({"drain_per_s": 75.9}, 1),
        ({"latency_p99_ms": 401, "worker_connections": 5}, 2),
    ],
)
def test_a_bound_may_be_reached_and_not_passed(figures: dict[str, float], count: int) -> None:
    assert len(missed(figures)) == count
