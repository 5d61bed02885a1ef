"""A gunicorn worker whose threads get complete requests: `--worker-class waproject.web.gunicorn_worker.Worker`.

gunicorn 27's gthread worker assigns a connection to a thread at its first bytes, and the thread waits for the rest: as
many slow clients as threads block the process. It also closes connections in its event loop, up to 2 s each. Here the
event loop reads requests and closes connections without blocking: docs/decisions/request-buffer.md.
"""

import json
import resource
import socket
import struct
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import http, util  # type: ignore[import-untyped]
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from waproject.web.body_limit import limit_of
from waproject.web.rejected_webhooks import note_rejection
from waproject.web.request_buffer import Progress, RequestBuffer

RECEIVE_BYTES = 256 * 1024
HEAD_S = 10.0
# After the head, a body may take BODY_S, and a second more for each SLOWEST_BYTES_S: 101 MB may take 17 minutes.
BODY_S = 30.0
SLOWEST_BYTES_S = 100 * 1024
# How long a client may take to read the end of an answer before its connection is closed.
LINGER_S = 2.0
# A thread aborts an answer if the client reads nothing for this long.
SEND_S = 30
CHECKED_EVERY_S = 0.5
# gunicorn's master ends a worker that it has not heard of for 30 s and more.
NOTIFY_EVERY_S = 1.0
# Connections and the files of large requests: the usual 1,024 are too few.
OPEN_FILES = 8192
# The limit of all incomplete requests of one process, in memory and on disk.
MAX_BUFFERED_BYTES = 512 * 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def raised_limits(soft: int, hard: int) -> tuple[int, int]:
    """The limits of open files to set instead of these: OPEN_FILES, or as many as the hard one allows."""
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES:
        return soft, hard
    return (OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)), hard


class Source:
    """Stands in for the socket in gunicorn's parser: yields the bytes of one complete request."""

    def __init__(self, buffer: RequestBuffer) -> None:
        self.buffer = buffer

    def recv(self, size: int) -> bytes:
        """The next bytes; empty at the request's end. Never blocks."""
        return self.buffer.read(size)


class Connection(gthread.TConn):  # type: ignore[misc]
    """A connection and its current request. The event loop uses it, then one thread at a time."""

    def __init__(self, worker: "Worker", sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, sock, client, server)
        self._worker = worker
        self.surplus = b""
        self.initialized = self.data_ready = True
        self.expect_request()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_S, 0))

    def expect_request(self) -> None:
        """Prepare for the next request."""
        self.buffer, self.began, self.is_continued = RequestBuffer(limit_of), time.monotonic(), False
        self.parser = http.get_parser(self.cfg, Source(self.buffer), self.client)

    @property
    def deadline(self) -> float:
        """When the rest of the request must have arrived (monotonic)."""
        if self.buffer.progress == Progress.HEAD:
            return self.began + HEAD_S
        return self.began + HEAD_S + BODY_S + self.buffer.size / SLOWEST_BYTES_S

    def close(self, graceful: bool = False) -> None:
        """Close the connection; `graceful`: only after the client has read the answer, watched by the event loop."""
        self._worker.released(self)
        if graceful:
            self._worker.linger(self.sock)
        else:
            util.close(self.sock)


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """The worker process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: dict[Connection, None] = {}
        self._lingering: dict[socket.socket, float] = {}
        # Connections that were accepted in this turn of the event loop, for each of which another one makes room.
        self._crowding: set[Connection] = set()
        self._buffered = 0
        self._checked_at = 0.0
        self._notified_at = 0.0

    def notify(self) -> None:
        """Tell the master that this process works: once a second, not at each turn of the loop."""
        now = time.monotonic()
        if now - self._notified_at >= NOTIFY_EVERY_S:
            self._notified_at = now
            super().notify()

    def init_process(self) -> None:
        """Raise the limit of open files, then run until the process stops."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, raised_limits(*limits))
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and register it for reading."""
        try:
            client, address = listener.accept()
        except OSError:  # the client disconnected, or another worker accepted it
            return
        self.nr_conns += 1
        conn = Connection(self, client, address, listener.getsockname())
        if self.nr_conns > self.worker_connections // 2:
            self._crowding.add(conn)
        self._start_reading(conn)
        self._receive(conn, client)

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """The next request on a kept-alive connection begins."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        conn.expect_request()
        self._start_reading(conn)
        self._receive(conn, client)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Keep the connection also after an unread body, which is in the buffer and not on the socket."""
        return keepalive

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Release the request, and start with the next one if its bytes have already arrived."""
        self.released(conn)
        conn.parser.unreader.take_buffered()
        if conn.surplus and self.alive and not fs.cancelled() and fs.exception() is None and fs.result():
            conn.sock.setblocking(False)
            surplus, conn.surplus = conn.surplus, b""
            conn.expect_request()
            self._start_reading(conn)
            self._feed(conn, surplus)
        else:
            super().finish_request(conn, fs)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Answer with `Connection: close` if the body is not read."""
        if conn.buffer.progress == Progress.CUT_SHORT:
            req.force_close()
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Make room, refuse overdue requests, close lingering connections; called after each turn of the event loop.

        Not within a turn: a connection that is closed there may be the next whose bytes the turn has to read.
        """
        for _ in self._crowding:
            self._evict()
        self._crowding.clear()
        now = time.monotonic()
        if now - self._checked_at < CHECKED_EVERY_S:
            return
        self._checked_at = now
        for conn in [conn for conn in self._reading if conn.deadline < now]:
            if conn.buffer.is_empty:
                self._drop(conn)
            else:
                self._refuse(conn, "408 Request Timeout", "The request arrived too slowly.")
        for sock in [sock for sock, until in self._lingering.items() if until < now]:
            self._end_lingering(sock)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close connections without a request soon; called when the worker stops."""
        super()._cap_keepalive(deadline)
        for conn in [conn for conn in self._reading if conn.buffer.progress == Progress.HEAD]:
            conn.began = min(conn.began, deadline - HEAD_S)

    def released(self, conn: Connection) -> None:
        """Free the buffer of the connection's request."""
        self._buffered -= conn.buffer.size
        conn.buffer.size = 0
        conn.buffer.close()

    def linger(self, sock: socket.socket) -> None:
        """Close once the client has, or after LINGER_S: closing with unread bytes would cut off the answer."""
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
            self.poller.register(sock, EVENT_READ, self._drain)
            self._lingering[sock] = time.monotonic() + LINGER_S
        except (OSError, ValueError):
            util.close(sock)

    def _drain(self, sock: socket.socket) -> None:
        try:
            if sock.recv(RECEIVE_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end_lingering(sock)

    def _end_lingering(self, sock: socket.socket) -> None:
        del self._lingering[sock]
        self.poller.unregister(sock)
        util.close(sock)

    def _start_reading(self, conn: Connection) -> None:
        self._reading[conn] = None
        self.poller.register(conn.sock, EVENT_READ, partial(self._receive, conn))

    def _receive(self, conn: Connection, sock: socket.socket) -> None:
        try:
            data = sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._feed(conn, data)
        else:
            self._drop(conn)

    def _feed(self, conn: Connection, data: bytes) -> None:
        buffer, before = conn.buffer, conn.buffer.size
        try:
            conn.surplus = buffer.feed(data)
        except OSError as error:  # the disk is full, or no file is left
            self.log.error("a request could not be buffered: %s", error.strerror)
            self._refuse(conn, "503 Service Unavailable", "The request could not be buffered; try again.")
            return
        self._buffered += buffer.size - before
        if buffer.is_ready:
            self._stop_reading(conn)
            self.enqueue_req(conn)
        elif buffer.progress == Progress.HEAD_TOO_LARGE:
            self._refuse(conn, "431 Request Header Fields Too Large", "The request's head is over 64 KB.")
        elif self._buffered > MAX_BUFFERED_BYTES:
            self._refuse(conn, "503 Service Unavailable", "Too many requests are arriving; try again.")
        elif buffer.is_expectant and not conn.is_continued:
            conn.is_continued = True
            _send_now(conn.sock, CONTINUE)

    def _evict(self) -> None:
        """Too many connections: close the one that has waited longest for a request's head, idle ones included."""
        silent = next((conn for conn in self._reading if conn.buffer.progress == Progress.HEAD), None)
        if silent in self._crowding:
            silent = None
        idle = self.keepalived_conns[0] if self.keepalived_conns else None
        if idle and (silent is None or idle.timeout - self.cfg.keepalive < silent.began):
            self.keepalived_conns.popleft()
            self.poller.unregister(idle.sock)
            self.nr_conns -= 1
            idle.close()
        elif silent:
            self._drop(silent)

    def _refuse(self, conn: Connection, status: str, detail: str) -> None:
        """Answer a request from the event loop, without a thread."""
        note_rejection(conn.buffer.path)
        body = json.dumps({"detail": detail}).encode()
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        _send_now(conn.sock, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self._drop(conn, graceful=True)

    def _drop(self, conn: Connection, *, graceful: bool = False) -> None:
        self._stop_reading(conn)
        self.nr_conns -= 1
        conn.close(graceful=graceful)

    def _stop_reading(self, conn: Connection) -> None:
        del self._reading[conn]
        self.poller.unregister(conn.sock)


def _send_now(sock: socket.socket, text: bytes) -> None:
    """Send a few bytes without waiting for the client."""
    with suppress(OSError):
        sock.send(text)
