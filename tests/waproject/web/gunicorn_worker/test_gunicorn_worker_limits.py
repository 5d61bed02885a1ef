"""Limits of a worker's connections in time and number, with real sockets."""

import resource
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from tests.waproject.web.gunicorn_worker.worker_loop import GET, POST, Loop, all_of, answered, refusal, running_loop
from waproject.web import gunicorn_worker
from waproject.web.rejected_webhooks import take_rejection
from waproject.web.request_buffer import RequestBuffer


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as found:
        yield found


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
    conn.began -= late_s / 2
    loop.turn()
    assert loop.reading == [conn]
    conn.began -= late_s
    loop.turn()
    assert (all_of(client), loop.reading, loop.nr_conns, loop._buffered) == (answer, [], 0, 0)


@pytest.mark.parametrize(
    ("sent", "is_noted"),
    [
        (POST[:9], False),
        (POST[:40], True),
        (POST + b"1", True),
        (POST.replace(b"/webhook/whatsapp", b"/messaging/send") + b"1", False),
    ],
    ids=["no request line", "half a head", "half a body", "another path"],
)
def test_a_refused_webhook_is_noted_so_that_the_next_one_records_it(sent: bytes, is_noted: bool, loop: Loop) -> None:
    loop.connect(sent)
    loop.reading[0].began -= 41
    loop.turn()
    assert (take_rejection() is not None) is is_noted


def test_the_event_loop_looks_for_overdue_requests_twice_a_second(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
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
    before = time.monotonic()
    client = loop.connect(b"x" * 70_000)
    assert loop.nr_conns == 0
    (ours,) = loop._lingering
    assert before + 2 <= loop._lingering[ours] <= time.monotonic() + 2
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


def test_a_closed_connection_does_not_linger(loop: Loop) -> None:
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


def test_a_request_beyond_the_limit_of_all_together_is_a_503(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_longest_silent_connection_is_evicted_for_new_ones(loop: Loop) -> None:
    loop.worker_connections = 4
    clients = [loop.connect(sent) for sent in (POST + b"1", b"", b"")]
    first, *_ = loop.reading
    assert len(loop.reading) == 3
    loop.turn()  # the third of four has crowded in
    assert (loop.nr_conns, len(loop.reading), loop.reading[0]) == (2, 2, first)
    assert all_of(clients[1]) == b""
    loop.turn()
    assert loop.nr_conns == 2


def test_the_only_connection_is_not_evicted_for_itself(loop: Loop) -> None:
    loop.worker_connections = 0
    loop.connect()
    loop.turn()
    assert loop.nr_conns == 1


@pytest.mark.parametrize(
    ("idle_before", "left"), [(True, "silent"), (False, "idle")], ids=["idle for longer", "silent for longer"]
)
def test_of_an_idle_and_a_silent_connection_the_one_that_waits_longer_is_evicted(
    idle_before: bool, left: str, loop: Loop
) -> None:
    loop.connect(GET)
    (idle,) = loop.ready
    loop.finish_request(idle, answered(True))
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


def test_a_process_notifies_the_master_once_a_second(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(gthread.ThreadWorker, "notify", lambda _: heard.append("works"))
    found = []
    for now in (100.0, 100.9, 101.0, 101.5, 102.0):
        monkeypatch.setattr(gunicorn_worker, "time", SimpleNamespace(monotonic=lambda now=now: now))
        loop.notify()
        found.append(len(heard))
    assert found == [1, 1, 2, 2, 3]


def test_a_process_raises_its_limit_of_open_files_before_it_runs(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 4096) if kind == resource.RLIMIT_NOFILE else None)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: calls.append(given))
    monkeypatch.setattr(gthread.ThreadWorker, "init_process", lambda _: calls.append("runs"))
    loop.init_process()
    assert calls == [(resource.RLIMIT_NOFILE, (4096, 4096)), "runs"]
