"""The jittered back-off."""

import pytest

from waproject.sqs.back_off import back_off


@pytest.mark.parametrize(
    ("failures", "base", "longest", "most"),
    [(1, 0.2, 20, 0.2), (2, 0.2, 20, 0.4), (7, 0.2, 20, 12.8), (8, 0.2, 20, 20), (10_000, 0.2, 20, 20), (3, 0.5, 1, 1)],
)
def test_a_wait_doubles_up_to_its_limit_and_loses_at_most_a_half(
    failures: int, base: float, longest: float, most: float
) -> None:
    waits = [back_off(failures, base, longest) for _ in range(200)]
    assert most / 2 <= min(waits) < max(waits) <= most
