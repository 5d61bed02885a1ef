"""Our ids."""

import time

from messaging.identifiers import uuid7


def test_ids_sort_in_the_order_they_were_made() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))


def test_an_id_is_a_version_7_uuid_of_now() -> None:
    made = uuid7()
    assert (made.version, abs((made.int >> 80) / 1000 - time.time()) < 5) == (7, True)
