"""The event loop of a worker turn by turn, with real sockets. tests/waproject/web/test_server.py has the process."""

import resource
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import Future
from selectors import DefaultSelector
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from waproject.web import gunicorn_worker
from waproject.web.gunicorn_worker import Connection, Worker
from waproject.web.request_buffer import RequestBuffer

GET = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /webhook/whatsapp HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


class Loop(Worker):
    """A worker whose threads are this test: complete requests are in `ready`."""

    def __init__(self) -> None:
        self.ready: list[Connection] = []
        self.errors: list[tuple[Any, ...]] = []
        log = SimpleNamespace(error=lambda *words: self.errors.append(words))
        super().__init__(1, 1, [], None, 30, Config(), log)
        self.poller = DefaultSelector()
        self.sockets_of_test: list[socket.socket] = []

    def enqueue_req(self, conn: Connection) -> None:
        self.ready.append(conn)

    def connect(self, data: bytes = b"") -> socket.socket:
        """A client that has sent these bytes, and is accepted."""
        ours, theirs = socket.socketpair()
        self.sockets_of_test += [ours, theirs]
        theirs.settimeout(5)
        theirs.sendall(data)
        self.accept(SimpleNamespace(accept=lambda: (ours, ("127.0.0.1", 1)), getsockname=lambda: ("127.0.0.1", 2)))  # type: ignore[arg-type]
        return theirs

    def turn(self) -> None:
        """One turn of the event loop, which checks the times at its end."""
        self.wait_for_and_dispatch_events(0)
        self._checked_at = 0.0
        self.murder_pending()

    @property
    def reading(self) -> list[Connection]:
        """The connections whose requests are not complete."""
        return list(self._reading)

    @property
    def watched(self) -> set[Any]:
        """The sockets that the event loop watches."""
        return {key.fileobj for key in self.poller.get_map().values()}


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    for sock in loop.sockets_of_test:
        sock.close()
    loop.poller.close()
    loop.tmp.close()


def done(result: bool) -> "Future[bool]":
    """A thread's answer: whether the connection stays open."""
    future: Future[bool] = Future()
    future.set_result(result)
    return future


def all_of(sock: socket.socket) -> bytes:
    """What the server sends until it ends the connection."""
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


def refusal(status: str, detail: str) -> bytes:
    body = f'{{"detail": "{detail}"}}'
    return (
        f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def test_a_complete_request_goes_to_a_thread_at_once(loop: Loop) -> None:
    loop.connect(GET)
    (conn,) = loop.ready
    assert (conn.buffer.read(-1), loop.nr_conns, loop.reading, loop.watched) == (GET, 1, [], set())
    assert (conn.client, conn.server, conn.surplus, conn.initialized, conn.data_ready) == (
        ("127.0.0.1", 1), ("127.0.0.1", 2), b"", True, True,
    )  # fmt: skip


def test_a_request_that_arrives_in_parts_goes_to_a_thread_once_it_is_complete(loop: Loop) -> None:
    client = loop.connect(POST[:20])
    (conn,) = loop.reading
    assert (loop.ready, loop.watched) == ([], {conn.sock})
    for part in (POST[20:], b"12", b"345"):
        assert loop.ready == []
        client.sendall(part)
        loop.turn()
    assert (loop.ready, loop.reading, loop.watched, loop._buffered) == ([conn], [], set(), 5)


def test_a_turn_without_bytes_changes_nothing(loop: Loop) -> None:
    loop.connect(POST)
    (conn,) = loop.reading
    loop._receive(conn, conn.sock)
    assert (loop.reading, loop.nr_conns, loop.ready) == ([conn], 1, [])


@pytest.mark.parametrize("sent", [b"", POST + b"12"])
def test_a_client_that_disconnects_frees_its_place(sent: bytes, loop: Loop) -> None:
    client = loop.connect(sent)
    (conn,) = loop.reading
    client.close()
    loop.turn()
    assert (loop.reading, loop.watched, loop.nr_conns, loop._buffered, conn.sock.fileno()) == ([], set(), 0, 0, -1)


def test_a_broken_connection_frees_its_place(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def reset(_: int) -> bytes:
        raise ConnectionResetError

    loop.connect(POST)
    (conn,) = loop.reading
    loop._receive(conn, SimpleNamespace(recv=reset))  # type: ignore[arg-type]
    assert (loop.reading, loop.nr_conns) == ([], 0)


def test_a_client_that_is_gone_before_it_is_accepted_is_no_connection(loop: Loop) -> None:
    def gone() -> None:
        raise ConnectionAbortedError

    loop.accept(SimpleNamespace(accept=gone))  # type: ignore[arg-type]
    assert (loop.nr_conns, loop.reading) == (0, [])


def test_an_answer_that_nobody_reads_is_aborted_after_thirty_seconds(loop: Loop) -> None:
    loop.connect()
    (conn,) = loop.reading
    limit = conn.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16)
    assert struct.unpack("ll", limit) == (30, 0)


def test_a_kept_connection_serves_the_next_request(loop: Loop) -> None:
    client = loop.connect(POST + b"12345")
    (conn,) = loop.ready
    first = conn.buffer
    loop.finish_request(conn, done(True))
    assert (loop._buffered, list(loop.keepalived_conns)) == (0, [conn])
    client.sendall(GET)
    loop.turn()
    assert (loop.ready, list(loop.keepalived_conns), loop.nr_conns) == ([conn, conn], [], 1)
    assert (conn.buffer is first, conn.buffer.read(-1), loop.watched) == (False, GET, set())


def test_requests_that_arrive_together_are_answered_one_by_one(loop: Loop) -> None:
    loop.connect(POST + b"12345" + GET + POST[:9])
    (conn,) = loop.ready
    assert conn.surplus == GET + POST[:9]
    conn.sock.setblocking(True)
    loop.finish_request(conn, done(True))
    assert (loop.ready, conn.buffer.read(-1), conn.sock.getblocking()) == ([conn, conn], GET, False)
    loop.finish_request(conn, done(True))
    assert (loop.ready, loop.reading, conn.surplus, loop.watched) == ([conn, conn], [conn], b"", {conn.sock})


def cancelled() -> "Future[bool]":
    future: Future[bool] = Future()
    future.cancel()
    return future


def failed() -> "Future[bool]":
    future: Future[bool] = Future()
    future.set_exception(ValueError())
    return future


@pytest.mark.parametrize("end", [lambda: done(False), cancelled, failed], ids=["close", "cancelled", "failed"])
def test_after_an_answer_that_ends_the_connection_no_further_request_is_answered(end: Any, loop: Loop) -> None:
    loop.connect(GET + GET)
    (conn,) = loop.ready
    loop.finish_request(conn, end())
    assert (loop.ready, loop.reading, loop.nr_conns) == ([conn], [], 0)


def test_a_stopping_worker_answers_no_further_request_of_a_connection(loop: Loop) -> None:
    loop.connect(GET + GET)
    (conn,) = loop.ready
    loop.alive = False
    loop.finish_request(conn, done(True))
    assert loop.ready == [conn]


@pytest.mark.parametrize(
    ("sent", "closes"),
    [(POST + b"12345", []), (POST.replace(b": 5", b": 99999999"), ["force_close"])],
    ids=["whole", "too large"],
)
def test_a_connection_whose_body_is_not_read_ends_with_its_answer(
    sent: bytes, closes: list[str], *, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def answer(_: Any, *request: Any) -> str:
        given.extend(request)
        return "answered"

    monkeypatch.setattr(gthread.ThreadWorker, "handle_request", answer)
    loop.connect(sent)
    (conn,) = loop.ready
    calls: list[str] = []
    request = SimpleNamespace(force_close=lambda: calls.append("force_close"))
    assert (loop.handle_request(request, conn), given, calls) == ("answered", [request, conn], closes)
    assert [loop._keepalive_after(conn, keepalive) for keepalive in (True, False)] == [True, False]


@pytest.mark.parametrize(
    ("sent", "late_s", "answer"),
    [
        (b"", 11, b""),
        (POST[:9], 11, refusal("408 Request Timeout", "The request arrived too slowly.")),
        (POST + b"1", 41, refusal("408 Request Timeout", "The request arrived too slowly.")),
    ],
    ids=["silent", "in the head", "in the body"],
)
def test_an_overdue_request_is_refused_and_a_silent_connection_closed(
    sent: bytes, late_s: float, answer: bytes, loop: Loop
) -> None:
    client = loop.connect(sent)
    (conn,) = loop.reading
    conn.began -= late_s - 2
    loop.turn()
    assert loop.reading == [conn]
    conn.began -= 2
    loop.turn()
    assert (all_of(client), loop.reading, loop.nr_conns, loop._buffered) == (answer, [], 0, 0)


def test_times_are_checked_twice_a_second(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.connect()
    (conn,) = loop.reading
    conn.began = 0.0
    found = []
    for now in (1000.0, 1000.4, 1000.6):
        monkeypatch.setattr(gunicorn_worker, "time", SimpleNamespace(monotonic=lambda now=now: now))
        conn.began = now - (5 if now == 1000.0 else 11)
        loop.murder_pending()
        found.append(len(loop.reading))
    assert found == [1, 1, 0]


def test_a_stopping_worker_waits_for_the_rest_of_a_body_and_not_for_a_head(loop: Loop) -> None:
    for sent in (b"", POST + b"1", b""):
        loop.connect(sent)
    silent, body, early = loop.reading
    early.began -= 100
    before = [conn.began for conn in loop.reading]
    loop.keepalived_conns.append(idle := SimpleNamespace(timeout=before[0] + 75))
    loop._cap_keepalive(before[0] + 2)
    assert [conn.began for conn in (silent, body, early)] == [before[0] - 8, before[1], before[2]]
    assert idle.timeout == before[0] + 2


def test_a_refused_connection_lasts_until_its_client_has_closed_it(loop: Loop) -> None:
    client = loop.connect(b"x" * 70_000)
    assert loop.nr_conns == 0
    (ours,) = loop._lingering
    assert 1.5 < loop._lingering[ours] - time.monotonic() <= 2.0
    assert all_of(client) == refusal("431 Request Header Fields Too Large", "The request's head is over 64 KB.")
    client.sendall(b"more")
    loop.turn()
    loop._drain(ours)  # nothing has come
    assert (list(loop._lingering), loop.watched) == ([ours], {ours})
    client.close()
    loop.turn()
    assert (loop._lingering, loop.watched, ours.fileno()) == ({}, set(), -1)


def test_a_refused_connection_is_closed_after_its_time(loop: Loop) -> None:
    clients = [loop.connect(b"x" * 70_000) for _ in range(2)]
    first, second = loop._lingering
    loop._lingering[first] -= 3
    loop.turn()
    assert (list(loop._lingering), first.fileno(), len(clients)) == ([second], -1, 2)


def test_a_broken_connection_does_not_linger(loop: Loop) -> None:
    loop.connect(b"x" * 70_000)
    (ours,) = loop._lingering

    class Broken(socket.socket):
        def recv(self, *_: int) -> bytes:
            raise ConnectionResetError

    broken = Broken(fileno=ours.detach())
    loop.poller.unregister(ours)
    loop._lingering.clear()
    loop.linger(broken)
    loop._drain(broken)
    assert (loop._lingering, loop.watched, broken.fileno()) == ({}, set(), -1)


def test_a_connection_that_is_closed_already_is_not_watched(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    loop.sockets_of_test += [ours, theirs]
    ours.close()
    loop.linger(ours)
    assert (loop._lingering, loop.watched) == ({}, set())


def test_a_full_disk_is_a_503_and_a_log_line(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> bytes:
        raise OSError(28, "No space left on device")

    client = loop.connect(POST)
    monkeypatch.setattr(RequestBuffer, "feed", full)
    client.sendall(b"1")
    loop.turn()
    assert all_of(client) == refusal("503 Service Unavailable", "The request could not be buffered; try again.")
    assert loop.errors == [("a request could not be buffered: %s", "No space left on device")]


def test_incomplete_requests_have_a_limit_together(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gunicorn_worker, "MAX_BUFFERED_BYTES", 7)
    first, second = loop.connect(POST + b"1234"), loop.connect(POST + b"123")
    assert (loop._buffered, len(loop.reading)) == (7, 2)
    second.sendall(b"4")
    loop.turn()
    assert all_of(second) == refusal("503 Service Unavailable", "Too many requests are arriving; try again.")
    assert (loop._buffered, len(loop.reading)) == (4, 1)
    first.sendall(b"5")
    loop.turn()
    assert (len(loop.ready), loop._buffered) == (1, 5)


def test_a_client_is_told_once_to_continue(loop: Loop) -> None:
    client = loop.connect(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert client.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"1")
    loop.turn()
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(99)


def test_no_client_is_told_to_continue_that_does_not_wait_for_it(loop: Loop) -> None:
    client = loop.connect(POST + b"1")
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(99)


def test_the_longest_silent_connection_makes_room(loop: Loop) -> None:
    loop.worker_connections = 4
    clients = [loop.connect(sent) for sent in (POST + b"1", b"", b"")]
    first, *_ = loop.reading
    assert len(loop.reading) == 3
    loop.turn()  # the third of four has crowded in
    assert (loop.nr_conns, len(loop.reading), loop.reading[0]) == (2, 2, first)
    assert all_of(clients[1]) == b""
    loop.turn()
    assert loop.nr_conns == 2


def test_no_connection_makes_room_for_itself(loop: Loop) -> None:
    loop.worker_connections = 0
    loop.connect()
    loop.turn()
    assert loop.nr_conns == 1


@pytest.mark.parametrize(
    ("idle_before", "left"), [(True, "silent"), (False, "idle")], ids=["idle for longer", "silent for longer"]
)
def test_of_an_idle_and_a_silent_connection_the_one_that_waits_longer_makes_room(
    idle_before: bool, left: str, loop: Loop
) -> None:
    loop.connect(GET)
    (idle,) = loop.ready
    loop.finish_request(idle, done(True))
    loop.connect()
    (silent,) = loop.reading
    silent.began = idle.timeout - loop.cfg.keepalive + (1 if idle_before else -1)
    loop._evict()
    assert (loop.nr_conns, [*loop.keepalived_conns], loop.reading) == (
        (1, [], [silent]) if left == "silent" else (1, [idle], [])
    )
    assert loop.watched == {silent.sock if left == "silent" else idle.sock}
    loop._evict()
    assert (loop.nr_conns, loop.watched, idle.sock.fileno(), silent.sock.fileno()) == (0, set(), -1, -1)
    loop._evict()
    assert loop.nr_conns == 0


def test_the_master_hears_of_the_process_once_a_second(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(gthread.ThreadWorker, "notify", lambda _: told.append("works"))
    found = []
    for now in (100.0, 100.9, 101.0, 101.5, 102.0):
        monkeypatch.setattr(gunicorn_worker, "time", SimpleNamespace(monotonic=lambda now=now: now))
        loop.notify()
        found.append(len(told))
    assert found == [1, 1, 2, 2, 3]


def test_a_process_raises_its_limit_of_open_files_before_it_runs(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 4096) if kind == resource.RLIMIT_NOFILE else None)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: calls.append(given))
    monkeypatch.setattr(gthread.ThreadWorker, "init_process", lambda _: calls.append("runs"))
    loop.init_process()
    assert calls == [(resource.RLIMIT_NOFILE, (4096, 4096)), "runs"]
