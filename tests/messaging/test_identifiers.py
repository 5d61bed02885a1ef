"""Our ids."""

import time
from datetime import UTC, datetime, timedelta

from messaging.identifiers import first_uuid7, uuid7


def test_ids_sort_in_the_order_they_were_made() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))


def test_an_id_is_a_version_7_uuid_of_now() -> None:
    made = uuid7()
    assert (made.version, abs((made.int >> 80) / 1000 - time.time()) < 5) == (7, True)


def test_the_first_id_of_a_moment_is_below_those_made_then_and_above_those_before() -> None:
    made = uuid7()
    at = datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
    assert first_uuid7(at) <= made < first_uuid7(at + timedelta(milliseconds=2))
