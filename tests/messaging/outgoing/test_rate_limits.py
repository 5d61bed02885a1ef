"""The arithmetic of rate limits and probes."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.outgoing.rate_limits import (
    PAIR_THROTTLES,
    Bucket,
    Schedule,
    UnknownStreak,
    next_probe_step,
    recovered_share,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_pace_is_a_little_under_the_limit() -> None:
    assert Bucket(80, 0, NOW).pace(NOW, inbound=0) == pytest.approx(77.6)


def test_inbound_messages_are_taken_off_the_pace() -> None:
    assert Bucket(80, 0, NOW).pace(NOW, inbound=30) == pytest.approx(48.5)


@pytest.mark.parametrize(("inbound", "pace"), [(71, 8.73), (73, 7.76), (80, 7.76), (1000, 7.76)])
def test_inbound_messages_leave_a_tenth_of_the_pace(inbound: float, pace: float) -> None:
    assert Bucket(80, 0, NOW).pace(NOW, inbound) == pytest.approx(pace)


@pytest.mark.parametrize(("since_slowed_s", "pace"), [(0, 38.8), (5, 46.56), (3600, 77.6)])
def test_a_slowed_number_has_a_share_of_its_pace(since_slowed_s: float, pace: float) -> None:
    slowed_at = NOW - timedelta(seconds=since_slowed_s)
    assert Bucket(80, 0, NOW, share=0.5, slowed_at=slowed_at).pace(NOW, inbound=0) == pytest.approx(pace)


def test_the_bucket_fills_at_the_pace() -> None:
    assert Bucket(80, -30, NOW - timedelta(seconds=0.25)).filled(NOW, 80.0) == -10


@pytest.mark.parametrize("pace", [0.5, 80.0, 1000.0])
def test_the_bucket_saves_up_one_call_and_no_more(pace: float) -> None:
    assert Bucket(1000, 0, NOW - timedelta(hours=1)).filled(NOW, pace) == 1


@pytest.mark.parametrize(
    ("pace", "tokens", "most"),
    [
        (80.0, 0.0, 20),  # a quarter of a second ahead
        (80.0, -19.0, 1),
        (80.0, -19.5, 0),
        (80.0, 1.0, 14),  # after a pause, with wider spaces
        (0.5, 1.0, 1),
        (0.5, 0.5, 0),
        (0.5, 0.9, 1),
    ],
)
def test_calls_are_scheduled_a_quarter_of_a_second_ahead(pace: float, tokens: float, most: int) -> None:
    assert Schedule(pace, tokens).most() == most


@pytest.mark.parametrize(
    ("tokens", "count", "offsets"),
    [
        (1.0, 1, [0.0]),
        (1.0, 2, [0.0, 0.15]),
        (0.5, 3, [0.05, 0.15, 0.25]),
        (-1.0, 2, [0.2, 0.3]),
        (1.0, 5, [0.05, 0.2, 0.35, 0.5, 0.65]),  # a larger group after a pause starts later
    ],
)
def test_calls_are_evenly_spaced(tokens: float, count: int, offsets: list[float]) -> None:
    assert Schedule(10.0, tokens).offsets(count) == pytest.approx(offsets)


@pytest.mark.parametrize(("tokens", "count"), [(1.0, 1), (1.0, 7), (0.5, 3), (-1.0, 2)])
def test_the_next_call_follows_the_last_one_at_the_same_space(tokens: float, count: int) -> None:
    schedule = Schedule(10.0, tokens)
    following = Schedule(10.0, schedule.left(count)).offsets(1)
    assert following == pytest.approx(schedule.offsets(count + 1)[-1:])


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
