"""A prefork worker that stops carries what its processes were given to its end, and drops what they were not."""

from types import SimpleNamespace
from typing import Any

from waproject.warm_shutdown import keep_begun

PROCESS = object()


class Pool:
    """What Celery's pool has of jobs between the last turn of its event loop and its flush."""

    def __init__(self, **job: Any) -> None:
        self.job = SimpleNamespace(**({"_write_to": None, "_accepted": False} | job))
        self._cache = {1: self.job}
        self._active_writers = {self.job._writer()} if hasattr(self.job, "_writer") else set()
        self.flushed: list[Any] = []

    def _flush_writer(self, process: object, writer: object) -> None:
        self.flushed.append((process, writer))


def test_a_job_that_a_process_was_given_is_waited_for() -> None:
    pool = Pool(_write_to=PROCESS)
    keep_begun(pool)
    assert pool.job._accepted


def test_a_job_that_no_process_was_given_is_left_to_be_dropped() -> None:
    pool = Pool()
    keep_begun(pool)
    assert not pool.job._accepted


def test_a_job_of_which_a_process_has_a_part_is_written_to_its_end() -> None:
    pool = Pool(_write_to=PROCESS, _writer=lambda: "writer")
    keep_begun(pool)
    assert (pool.flushed, pool.job._accepted) == ([(PROCESS, "writer")], True)
