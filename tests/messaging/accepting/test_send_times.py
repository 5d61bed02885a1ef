"""The bounds of `send_at` and `expires_at`, from both sides, and the words of each refusal."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from messaging.accepting.send_times import InvalidTime, check_times

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("send_at", "expires_at"),
    [
        (None, None),
        (NOW, None),
        (NOW + 30 * DAY, None),
        (None, NOW + SECOND),
        (NOW, NOW + SECOND),
        (NOW + DAY, NOW + DAY + SECOND),
        (NOW + 30 * DAY, NOW + 60 * DAY),
    ],
)
def test_these_times_are_taken(send_at: datetime | None, expires_at: datetime | None) -> None:
    check_times(send_at, expires_at, NOW)


@pytest.mark.parametrize(
    ("send_at", "expires_at", "words"),
    [
        (NOW - SECOND, None, "send_at: This is in the past. Leave it out to send now."),
        (NOW + 30 * DAY + SECOND, None, "send_at: This is more than 30 days ahead."),
        (None, NOW, "expires_at: This is in the past: the message would never be sent."),
        (None, NOW - SECOND, "expires_at: This is in the past: the message would never be sent."),
        (NOW + DAY, NOW + DAY, "expires_at: This is not after send_at: the message would never be sent."),
        (NOW + DAY, NOW + SECOND, "expires_at: This is not after send_at: the message would never be sent."),
    ],
)
def test_these_are_refused_with_the_reason(send_at: datetime | None, expires_at: datetime | None, words: str) -> None:
    with pytest.raises(InvalidTime) as refused:
        check_times(send_at, expires_at, NOW)
    assert (str(refused.value), refused.value.field) == (words, words.partition(":")[0])


def test_a_refusal_outlives_a_pool_process() -> None:
    again = pickle.loads(pickle.dumps(InvalidTime("send_at", "Why.")))  # noqa: S301
    assert (again.field, again.message) == ("send_at", "Why.")
