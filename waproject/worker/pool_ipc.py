"""What the processes of a prefork pool say to their worker, at less of a cost than Celery's way of it.

Celery 5.7 reads each message in two system calls, one at a waking, and registers its pipe with epoll once more after
it; billiard 4.3 pickles it with tables for sockets and the like. There are two of each task: it begins, it is done.
"""

import os
import pickle
import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from celery.concurrency import asynpool

# How billiard frames a message: its length before it.
HEADER = struct.Struct(">i")
READ_BYTES = 64 * 1024


class Worker(asynpool.Worker):  # type: ignore[misc]
    """The loop of a pool process."""

    def workloop(self, *args: Any, **kwargs: Any) -> Any:
        """As billiard's, but for how it answers."""
        self.outq.put = quick_put(self.outq)
        return super().workloop(*args, **kwargs)


def quick_put(queue: Any) -> Callable[[Any], None]:
    """In the place of the queue's `put`: by Python's own pickler, where it can."""
    thorough, send = queue.put, queue.send_payload

    def put(message: Any) -> None:
        try:
            pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        except Exception:  # what needs billiard's tables, or cannot be pickled at all
            thorough(message)
        else:
            send(pickled)

    return put


class ResultHandler(asynpool.ResultHandler):  # type: ignore[misc]
    """The worker's ear."""

    def _make_process_result(self, hub: Any) -> Callable[[int], None]:
        """What the event loop calls for a process's pipe that can be read."""

        def on_readable(fd: int) -> None:
            if fd not in self.fileno_to_outq:  # the process is gone
                hub.remove_reader(fd)
                return
            said = _read(fd, READ_BYTES)
            if said is None:
                return
            if not said:
                hub.remove_reader(fd)
                return
            messages, rest = split(said)
            if rest:
                hub.add_reader(fd, self._read_on(hub, fd, rest))
            self._act_on(messages)

        return on_readable

    def _read_on(self, hub: Any, fd: int, said: bytes) -> Iterator[None]:
        """The rest of a message that came in parts, and nothing beyond it.

        A generator, as Celery's own reader is: a worker that stops finds it in the event loop and goes on with it.
        """
        messages: deque[bytes] = deque()
        while not messages:
            known = len(said) >= HEADER.size
            whole = HEADER.size + (HEADER.unpack_from(said)[0] if known else 0)
            more = _read(fd, whole - len(said))
            if more is None:
                yield
                continue
            if not more:
                hub.remove_reader(fd)
                return
            messages, said = split(said + more)
        hub.add_reader(fd, self.handle_event, fd)
        self._act_on(messages)

    def _act_on(self, messages: deque[bytes]) -> None:
        """Each of them, even where one before raises what ends the worker."""
        try:
            while messages:
                if message := pickle.loads(messages.popleft()):  # noqa: S301 - our own child's
                    self.on_state_change(message)
        finally:
            if messages:
                self._act_on(messages)


def split(said: bytes) -> tuple[deque[bytes], bytes]:
    """The whole messages in what was read, without their headers, and the beginning of the next one."""
    messages: deque[bytes] = deque()
    start = 0
    while len(said) - start >= HEADER.size:
        begin = start + HEADER.size
        end = begin + HEADER.unpack_from(said, start)[0]
        if end > len(said):
            break
        messages.append(said[begin:end])
        start = end
    return messages, said[start:]


def _read(fd: int, most: int) -> bytes | None:
    """What there is now, at most so much; None where there is nothing yet, nothing where there will be no more."""
    try:
        return os.read(fd, most)
    except BlockingIOError:
        return None
    except OSError:
        return b""
