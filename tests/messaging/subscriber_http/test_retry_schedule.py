"""Retries of deliveries, and pauses of endpoints."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.subscriber_http.post import Answer
from messaging.subscriber_http.retry_schedule import (
    RETRY_PERIOD,
    RETRY_WAITS_S,
    Decision,
    EndpointHealth,
    State,
    after,
    decide,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + RETRY_PERIOD
OK, BROKEN, GONE, NOBODY = (
    Answer(204, 5),
    Answer(500, 5, "Answered 500."),
    Answer(410, 5, "Gone."),
    Answer(None, 5, "-"),
)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


# answer, tries, give up at, chance: state, due
TABLE = [
    (OK, 1, LATER, 0.5, State.DELIVERED, None),
    (Answer(200, 5), 9, NOW, 0.5, State.DELIVERED, None),
    (BROKEN, 1, LATER, 0.5, State.PENDING, seconds(5)),
    (NOBODY, 2, LATER, 0.5, State.PENDING, seconds(30)),
    (Answer(404, 5, "-"), 3, LATER, 0.5, State.PENDING, seconds(120)),
    (Answer(302, 5, "-"), 4, LATER, 0.5, State.PENDING, seconds(600)),
    (BROKEN, 8, LATER, 0.5, State.PENDING, seconds(14400)),
    (BROKEN, 50, LATER, 0.5, State.PENDING, seconds(14400)),
    (BROKEN, 3, LATER, 0.0, State.PENDING, seconds(96)),
    (BROKEN, 8, seconds(60), 0.5, State.PENDING, seconds(60)),
    (BROKEN, 8, NOW, 0.5, State.FAILED, None),
    (GONE, 1, LATER, 0.5, State.FAILED, None),
    (Answer(429, 5, "-", 90.0), 1, LATER, 0.5, State.PENDING, seconds(90)),
    (Answer(503, 5, "-", 1.0), 3, LATER, 0.5, State.PENDING, seconds(120)),
    (Answer(503, 5, "-", 3600.0), 1, LATER, 0.5, State.PENDING, seconds(3600)),
    (Answer(503, 5, "-", 86400.0), 1, LATER, 0.5, State.PENDING, seconds(3600)),
    (Answer(503, 5, "-", 1e9), 1, LATER, 0.5, State.PENDING, seconds(3600)),
    (Answer(503, 5, "-", 1e9), 8, LATER, 0.5, State.PENDING, seconds(14400)),
]


@pytest.mark.parametrize("row", TABLE, ids=range(len(TABLE)))
def test_the_state_after_an_attempt(row: tuple[Answer, int, datetime, float, State, datetime | None]) -> None:
    answer, tries, give_up_at, chance, state, due_at = row
    assert decide(answer, tries, give_up_at, NOW, chance) == Decision(state, due_at)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=40, max_size=40))
def test_a_delivery_is_retried_for_a_day_and_then_fails(chances: list[float]) -> None:
    now, tries = NOW, []
    for chance in chances:
        tries.append(now)
        decision = decide(BROKEN, len(tries), LATER, now, chance)
        if decision.due_at is None:
            break
        now = decision.due_at
    assert (tries[-1], decision.state) == (LATER, State.FAILED)
    assert 11 <= len(tries) <= 17


def health_after(*answers: Answer, every: float = 1) -> EndpointHealth:
    """After these, so many seconds apart."""
    result = EndpointHealth()
    for n, answer in enumerate(answers):
        at = seconds(n * every)
        result = after(result, answer, at, at)
    return result


def test_a_success_resets_the_failures() -> None:
    assert health_after(*[BROKEN] * 20, OK) == EndpointHealth()


@pytest.mark.parametrize(("failures", "pause"), [(1, None), (4, None), (5, 5), (6, 10), (7, 20), (11, 300), (200, 300)])
def test_the_pauses_of_a_failing_endpoint_double(failures: int, pause: int | None) -> None:
    paused = health_after(*[BROKEN] * failures).paused_until
    assert paused == (None if pause is None else seconds(failures - 1 + pause))


@pytest.mark.parametrize(("asked", "pause"), [(60.0, 60), (300.0, 300), (301.0, 300), (86400.0, 300)])
def test_an_endpoint_that_asks_for_a_pause_gets_five_minutes_at_most(asked: float, pause: int) -> None:
    assert health_after(Answer(429, 5, "-", asked)).paused_until == seconds(pause)


def test_a_retry_after_of_a_day_disables_no_endpoint() -> None:
    assert not health_after(*[Answer(503, 5, "-", 86400.0)] * 2, every=86400).disabled_why


def test_a_410_disables_an_endpoint_at_once() -> None:
    assert health_after(GONE).disabled_why == "Gone."


@pytest.mark.parametrize(
    ("hours", "failures", "off"), [(23, 10, False), (24, 10, True), (24, 9, False), (48, 2, False)]
)
def test_an_endpoint_is_disabled_after_a_day_with_ten_failures(hours: int, failures: int, off: bool) -> None:
    assert bool(health_after(*[BROKEN] * failures, every=hours * 3600 / (failures - 1)).disabled_why) is off


def test_an_endpoint_that_accepts_some_deliveries_is_never_disabled() -> None:
    assert not health_after(BROKEN, OK, BROKEN, every=20 * 3600).disabled_why


def test_the_waits_grow() -> None:
    assert list(RETRY_WAITS_S) == sorted(RETRY_WAITS_S)
