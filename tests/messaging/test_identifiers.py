"""Our ids."""

import time
from datetime import UTC, datetime, timedelta

from messaging.identifiers import first_uuid7, made_at, uuid7


def test_ids_sort_in_the_order_they_were_made() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))


def test_an_id_is_a_version_7_uuid_of_now() -> None:
    made = uuid7()
    assert (made.version, abs(made_at(made).timestamp() - time.time()) < 5) == (7, True)


def test_the_first_id_of_a_moment_is_below_those_made_then_and_above_those_before() -> None:
    made = uuid7()
    at = made_at(made)
    assert first_uuid7(at) <= made < first_uuid7(at + timedelta(milliseconds=2))


def test_an_id_has_the_time_at_which_it_was_made() -> None:
    at = datetime(2026, 11, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    assert made_at(first_uuid7(at)) == at
