"""Cached checks answer also where the system has no thread left."""

from testkit.no_new_threads import no_new_threads
from waproject.cached_check import CachedCheck


def test_a_check_without_a_thread_has_no_answer_and_is_made_once_there_is_one() -> None:
    check = CachedCheck("it", lambda: 7, every=60, deadline=30)
    with no_new_threads():
        assert (check.result().value, check.result().error) == (None, "no answer")
    assert check.result().value == 7
    check.stop()
