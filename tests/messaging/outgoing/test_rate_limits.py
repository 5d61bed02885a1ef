"""The arithmetic of rate limits and probes."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.outgoing.rate_limits import PAIR_THROTTLES, Bucket, UnknownStreak, next_probe_step, recovered_share

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_pace_is_a_little_under_the_limit() -> None:
    assert Bucket(80, 0, NOW).pace(NOW, inbound=0) == pytest.approx(77.6)


def test_inbound_messages_are_taken_off_the_pace() -> None:
    assert Bucket(80, 0, NOW).pace(NOW, inbound=30) == pytest.approx(48.5)


def test_more_inbound_than_the_limit_leaves_a_pace_of_zero() -> None:
    assert Bucket(80, 0, NOW).pace(NOW, inbound=100) == 0


@pytest.mark.parametrize(("since_slowed_s", "pace"), [(0, 38.8), (5, 46.56), (3600, 77.6)])
def test_a_slowed_number_has_a_share_of_its_pace(since_slowed_s: float, pace: float) -> None:
    slowed_at = NOW - timedelta(seconds=since_slowed_s)
    assert Bucket(80, 0, NOW, share=0.5, slowed_at=slowed_at).pace(NOW, inbound=0) == pytest.approx(pace)


def test_the_bucket_fills_at_the_pace() -> None:
    assert Bucket(80, 1, NOW - timedelta(seconds=0.25)).filled(NOW, 80.0) == 21


def test_a_bucket_of_the_slowest_pace_still_holds_one_message() -> None:
    assert Bucket(1, 0, NOW - timedelta(hours=1)).filled(NOW, 0.5) == 1


def test_the_bucket_saves_up_half_a_second_and_no_more() -> None:
    assert Bucket(80, 0, NOW - timedelta(hours=1)).filled(NOW, 80.0) == 40


def test_a_slowed_number_recovers_its_pace_with_time() -> None:
    shares = [recovered_share(0.8, NOW, NOW + timedelta(seconds=seconds)) for seconds in (0, 5, 3600)]
    assert shares == pytest.approx([0.8, 0.9, 1.0])


def test_consecutive_pair_throttles_wait_four_times_longer_each() -> None:
    assert [PAIR_THROTTLES.wait(4.0, 4.0, n) for n in (1, 2, 3, 4)] == [4, 16, 64, 256]


def test_the_first_probe_comes_after_a_second() -> None:
    assert next_probe_step(0) == 1


def test_the_steps_between_probes_double_up_to_a_minute() -> None:
    steps = [1]
    while len(steps) < 9:
        steps.append(next_probe_step(steps[-1]))
    assert steps == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("before", "outcomes", "after"),
    [
        (0, [None, None], 2),
        (3, [None, None], 5),
        (3, [None, True, None], 1),
        (4, [False], 0),
        (5, [False], 5),
        (9, [None, True], 0),
        (9, [None], 10),
    ],
)
def test_unknown_outcomes_in_a_row(before: int, outcomes: list[bool | None], after: int) -> None:
    assert UnknownStreak.of(outcomes).count(before) == after
