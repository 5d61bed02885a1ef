"""When a queue is asked for messages."""

import threading
from typing import Any, cast

from tests.processes import eventually
from waproject.sqs.receiving import Receiver
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client


class Queue:
    """A queue whose first answers are full; remembers how long each request would have waited, by its thread."""

    def __init__(self, full_answers: int) -> None:
        self._full = full_answers
        self._lock = threading.Lock()
        self.waits: dict[str, set[int]] = {}

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        with self._lock:
            self.waits.setdefault(threading.current_thread().name, set()).add(parameters["WaitTimeSeconds"])
            self._full -= 1
            full = self._full >= 0
        threading.Event().wait(0.01)
        return {"Messages": [{"ReceiptHandle": "r"}] * MAX_BATCH_ENTRIES} if full else {}


def test_in_a_backlog_a_second_request_is_under_way_that_does_not_wait() -> None:
    queue = Queue(full_answers=20)
    receiver = Receiver(
        cast(Client, queue), "url", take=lambda _: None, give_back=lambda _: None, room=10_000, linger=0.1, wait_time=20
    )
    receiver.start()
    assert eventually(lambda: len(queue.waits) == 2, 5)
    receiver.stop()
    receiver.join()
    assert queue.waits == {"sqs-receive-0": {20}, "sqs-receive-1": {0}}
