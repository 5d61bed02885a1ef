"""A pool of threads that works on where the system gives it no further one."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class ThreadPool:
    """Up to `most` threads, started as they are needed.

    Python queues a job and then starts a thread for it. Where that fails, as a limit of the container is reached, it
    raises, and a running thread does the job all the same. So the pool has a thread from the start, and does not raise.
    """

    def __init__(self, most: int, name: str) -> None:
        """Raises RuntimeError without a single thread."""
        self._name = name
        self._executor = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._is_short = False
        self._executor.submit(int)

    def submit(self, work: Callable[..., Result], *arguments: object) -> Future[Result]:
        """The future of `work(*arguments)`."""
        future: Future[Result] = Future()
        try:
            self._executor.submit(_run, future, work, arguments)
        except RuntimeError:
            if not self._is_short:
                logger.warning("jobs of %s wait for its threads: the system gives it no more", self._name)
            self._is_short = True
        else:
            self._is_short = False
        return future

    def shutdown(self) -> None:
        """Start none of the jobs that wait, and wait for no other."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _run(future: Future[Result], work: Callable[..., Result], arguments: tuple[object, ...]) -> None:
    try:
        result = work(*arguments)
    except BaseException as error:  # as concurrent.futures does: whoever asks for the result gets it
        future.set_exception(error)
    else:
        future.set_result(result)
