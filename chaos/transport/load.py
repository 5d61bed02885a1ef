"""Publishes numbered tasks, as web and the dispatcher do, until SQS has taken as many as the scenario asks for."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

from testkit.task_message import task_message
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client, SqsError

THREADS = 4
CHUNK = 10
PAUSE_S = 0.1
TASKS = ("chaos.alone", "chaos.joined")


class Load:
    """`messages` tasks within `seconds`, and longer where SQS does not take them.

    A failed publication may have reached SQS all the same, so the next try uses another number: no number is published
    twice. `accepted`: the numbers that SQS took. `refusals`: publications that failed.
    """

    def __init__(self, client: Client, url: str, messages: int, seconds: float) -> None:
        self.messages = messages
        self._publisher, self._url = Publisher(client), url
        self._chunks = messages // CHUNK
        self._every = seconds / self._chunks
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._next = 0
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS)
        self._publishing: list[Future[None]] = []
        self.accepted: set[int] = set()
        self.refusals = 0

    def start(self) -> None:
        """Begin."""
        self._started = time.monotonic()
        self._publishing = [self._pool.submit(self._run) for _ in range(THREADS)]

    def wait(self) -> None:
        """Wait until all are published. Raises what a thread raised."""
        for thread in self._publishing:
            thread.result()

    def stop(self) -> None:
        """Publish no more. Raises what a thread raised."""
        self._stopped.set()
        self._pool.shutdown()
        self.wait()

    def _run(self) -> None:
        try:
            self._publish_chunks()
        except BaseException:
            self._stopped.set()
            raise

    def _publish_chunks(self) -> None:
        while not self._stopped.is_set():
            with self._lock:
                index, self._next = self._next, self._next + 1
            if index >= self._chunks:
                return
            self._stopped.wait(self._started + index * self._every - time.monotonic())
            left = CHUNK
            while left and not self._stopped.is_set():
                taken = self._publish(left, together=index % 2 == 0)
                left -= taken
                if not taken:
                    self._stopped.wait(PAUSE_S)

    def _publish(self, size: int, together: bool) -> int:
        with self._lock:
            numbers = [next(self._numbers) for _ in range(size)]
        messages = [Outgoing(self._url, task_message(TASKS[number % 2], number)) for number in numbers]
        errors = self._publisher.send_many(messages) if together else [self._alone(message) for message in messages]
        accepted = [number for number, error in zip(numbers, errors, strict=True) if error is None]
        with self._lock:
            self.accepted.update(accepted)
            self.refusals += size - len(accepted)
        return len(accepted)

    def _alone(self, message: Outgoing) -> SqsError | None:
        try:
            self._publisher.send(message)
        except SqsError as error:
            return error
        return None
