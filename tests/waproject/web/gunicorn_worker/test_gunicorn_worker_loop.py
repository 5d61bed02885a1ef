"""The event loop of a worker turn by turn, with real sockets. tests/waproject/web/test_server.py has the process."""

import socket
import struct
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from tests.waproject.web.gunicorn_worker.worker_loop import GET, POST, Loop, answered, running_loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as found:
        yield found


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


def test_a_broken_connection_frees_its_place(loop: Loop) -> None:
    def reset(_: int) -> bytes:
        raise ConnectionResetError

    loop.connect(POST)
    (conn,) = loop.reading
    loop._receive(conn, SimpleNamespace(recv=reset))  # type: ignore[arg-type]
    assert (loop.reading, loop.nr_conns) == ([], 0)


def test_a_client_that_is_gone_before_it_is_accepted_takes_no_place(loop: Loop) -> None:
    def gone() -> None:
        raise ConnectionAbortedError

    loop.accept(SimpleNamespace(accept=gone))  # type: ignore[arg-type]
    assert (loop.nr_conns, loop.reading) == (0, [])


def test_an_answer_that_its_client_does_not_read_is_aborted_after_thirty_seconds(loop: Loop) -> None:
    loop.connect()
    (conn,) = loop.reading
    limit = conn.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16)
    assert struct.unpack("ll", limit) == (30, 0)


def test_a_kept_connection_serves_the_next_request(loop: Loop) -> None:
    client = loop.connect(POST + b"12345")
    (conn,) = loop.ready
    first = conn.buffer
    loop.finish_request(conn, answered(True))
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
    loop.finish_request(conn, answered(True))
    assert (loop.ready, conn.buffer.read(-1), conn.sock.getblocking()) == ([conn, conn], GET, False)
    loop.finish_request(conn, answered(True))
    assert (loop.ready, loop.reading, conn.surplus, loop.watched) == ([conn, conn], [conn], b"", {conn.sock})


def cancelled() -> "Future[bool]":
    future: Future[bool] = Future()
    future.cancel()
    return future


def failed() -> "Future[bool]":
    future: Future[bool] = Future()
    future.set_exception(ValueError())
    return future


@pytest.mark.parametrize("end", [lambda: answered(False), cancelled, failed], ids=["close", "cancelled", "failed"])
def test_after_an_answer_that_ends_the_connection_no_further_request_is_answered(end: Any, loop: Loop) -> None:
    loop.connect(GET + GET)
    (conn,) = loop.ready
    loop.finish_request(conn, end())
    assert (loop.ready, loop.reading, loop.nr_conns) == ([conn], [], 0)


def test_a_stopping_worker_answers_no_further_request_of_a_connection(loop: Loop) -> None:
    loop.connect(GET + GET)
    (conn,) = loop.ready
    loop.alive = False
    loop.finish_request(conn, answered(True))
    assert loop.ready == [conn]


@pytest.mark.parametrize(
    ("sent", "closes"),
    [(POST + b"12345", []), (POST.replace(b": 5", b": 99999999"), ["force_close"])],
    ids=["whole", "too large"],
)
def test_the_answer_to_a_body_that_is_too_large_ends_its_connection(
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


def test_a_client_that_waits_for_100_continue_gets_it_once(loop: Loop) -> None:
    client = loop.connect(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert client.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"1")
    loop.turn()
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(99)


def test_a_client_that_does_not_wait_for_100_continue_gets_none(loop: Loop) -> None:
    client = loop.connect(POST + b"1")
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(99)
