"""Kept-alive connections: every way in which a server may frame, delay or break off an answer."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.certificates import self_signed
from waproject.sqs.connections import ConnectionFailed, Connections, Origin, parse_head


class Scripted:
    """A server that reads one request at a time and answers with the next of its bytes; none closes the connection."""

    def __init__(self, certificate: Path | None = None) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._tls and certificate:
            self._tls.load_cert_chain(certificate)
        self.answers: list[list[bytes]] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(accepted) as connection:
            while request := connection.recv(65536):
                self.requests.append(request)
                answer = self.answers.pop(0)
                for part in answer:
                    connection.sendall(part)
                if not answer or any(b"close" in part for part in answer):
                    return

    def _secured(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def post(server: Scripted) -> Callable[..., tuple[int, bytes]]:
    connections = Connections(Origin.of(server.url))

    def ask(*answer: bytes, timeout: float = 5.0) -> tuple[int, bytes]:
        server.answers.append(list(answer))
        return connections.post({"X-A": "1"}, b"body", timeout)

    return ask


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FRAMED = {
    "a length": [OK],
    "a length, in pieces": [OK[:20], OK[20:39], OK[39:]],
    "chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n"],
    "chunks, in pieces": [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r",
        b"\no\r\n1\r\nk\r\n",
        b"0\r\n\r\n",
    ],
    "the end of the connection": [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"o", b"k"],
    "HTTP/1.0": [b"HTTP/1.0 200 OK\r\nX: close\r\n\r\nok"],
    "an interim answer first": [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
}


@pytest.mark.parametrize("answer", FRAMED.values(), ids=FRAMED)
def test_an_answer_is_read_with_length_chunks_or_until_close(
    post: Callable[..., tuple[int, bytes]], answer: list[bytes]
) -> None:
    assert post(*answer) == (200, b"ok")


@pytest.mark.parametrize("name", ["a length", "chunks", "an interim answer first"])
def test_a_connection_is_used_again(server: Scripted, post: Callable[..., tuple[int, bytes]], name: str) -> None:
    post(*FRAMED[name])
    post(OK)
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [b"HTTP/1.1 200 OK\r\n"[:9], b"close"],
        [b"HTTP/1.1 200 OK\r\nX: close\r\nContent-Length: 9\r\n\r\nok"],
        [b"SSH-2.0-close\r\n\r\n"],
        [b"HTTP/1.1 close OK\r\n\r\n"],
        [b"HTTP/1.1 200 close\r\nContent-Length: -1\r\n\r\n"],
        [b"HTTP/1.1 200 close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ],
)
def test_a_broken_answer_is_a_failed_connection(post: Callable[..., tuple[int, bytes]], answer: list[bytes]) -> None:
    with pytest.raises(ConnectionFailed):
        post(*answer)


def test_a_server_that_does_not_answer_times_out(server: Scripted, post: Callable[..., tuple[int, bytes]]) -> None:
    with pytest.raises(ConnectionFailed):
        post(b"HTTP/1.1 200 OK\r\n", timeout=0.2)


def test_after_a_failure_the_next_request_opens_a_new_connection(
    server: Scripted, post: Callable[..., tuple[int, bytes]]
) -> None:
    with pytest.raises(ConnectionFailed):
        post()
    assert post(OK) == (200, b"ok")


def test_a_refused_connection_is_a_failed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionFailed):
        Connections(Origin("127.0.0.1", port, tls=False, path="/")).post({}, b"", 1.0)


def test_a_header_cannot_inject_another_one(server: Scripted) -> None:
    with pytest.raises(ConnectionFailed):
        Connections(Origin.of(server.url)).post({"X": "1\r\nY: 2"}, b"", 1.0)


def test_a_request_names_its_host_path_and_length(server: Scripted, post: Callable[..., tuple[int, bytes]]) -> None:
    post(OK)
    port = server.url.rpartition(":")[2].encode()
    assert server.requests == [
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1:" + port + b"\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody"
    ]


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://sqs.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com", "/"),
        ("https://sqs.example:443/", "sqs.example", "/"),
        ("http://[::1]:4566/prefix/", "[::1]:4566", "/prefix/"),
    ],
)
def test_the_host_is_named_as_it_is_signed(url: str, host: str, path: str) -> None:
    origin = Origin.of(url)
    assert (origin.host_header, origin.path) == (host, path)


def test_field_names_are_read_in_any_case() -> None:
    assert parse_head(b"HTTP/1.1 503 Slow Down\r\nX-Any:  a b ") == (503, {b"x-any": b"a b"})


@pytest.mark.parametrize(
    ("head", "connection"),
    [
        (b"HTTP/1.1 200 OK", None),
        (b"HTTP/1.0 200 OK", b"close"),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive", b"keep-alive"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nconnection: Upgrade", b"Upgrade"),
    ],
)
def test_only_http_1_0_closes_by_itself(head: bytes, connection: bytes | None) -> None:
    assert parse_head(head)[1].get(b"connection") == connection


@pytest.mark.parametrize(
    ("answer", "reused"),
    [
        ([OK], True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok"], False),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], False),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"], True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more"], False),
    ],
    ids=["1.1", "1.1 close", "1.0", "1.0 keep-alive", "more than announced"],
)
def test_a_connection_is_used_again_if_the_server_keeps_it_and_sent_no_more(
    server: Scripted, post: Callable[..., tuple[int, bytes]], answer: list[bytes], reused: bool
) -> None:
    assert [post(*answer), post(OK)] == [(200, b"ok")] * 2
    assert server.connections == (1 if reused else 2)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_that_has_no_body_is_not_waited_for(
    server: Scripted, post: Callable[..., tuple[int, bytes]], status: bytes
) -> None:
    assert post(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\n") == (int(status[:3]), b"")
    assert (post(OK), server.connections) == ((200, b"ok"), 1)


@pytest.mark.parametrize(("size", "answered"), [(65_000, True), (140_000, False)])
def test_a_head_has_64_kib_at_most(post: Callable[..., tuple[int, bytes]], size: int, answered: bool) -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * size + b"\r\n\r\n")
    if answered:
        assert post(answer) == (200, b"ok")
    else:
        with pytest.raises(ConnectionFailed, match="ValueError"):
            post(answer)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://host", Origin("host", 80, tls=False, path="/")),
        ("https://host", Origin("host", 443, tls=True, path="/")),
        ("https://host:80/a/b//", Origin("host", 80, tls=True, path="/a/b/")),
    ],
)
def test_an_origin_has_its_schemes_port(url: str, origin: Origin) -> None:
    assert Origin.of(url) == origin


@pytest.mark.parametrize("url", ["ftp://host", "host:80", "http://", ""])
def test_only_a_web_server_is_an_origin(url: str) -> None:
    with pytest.raises(ValueError, match="not a URL of a server"):
        Origin.of(url)


@pytest.mark.parametrize(
    ("origin", "header"),
    [
        (Origin("host", 443, tls=False, path="/"), "host:443"),
        (Origin("host", 80, tls=True, path="/"), "host:80"),
        (Origin("host", 80, tls=False, path="/"), "host"),
    ],
)
def test_the_other_schemes_port_is_named(origin: Origin, header: str) -> None:
    assert origin.host_header == header


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Scripted, Path]]:
    certificate = self_signed(tmp_path)
    scripted = Scripted(certificate)
    yield scripted, certificate
    scripted.close()


def test_requests_over_tls_share_a_connection(secure: tuple[Scripted, Path]) -> None:
    server, certificate = secure
    connections = Connections(Origin.of(server.url), str(certificate))
    server.answers = [[OK], [OK]]
    assert [connections.post({}, b"x", 5.0) for _ in range(2)] == [(200, b"ok")] * 2
    assert server.connections == 1


def test_a_tls_server_that_does_not_answer_times_out(secure: tuple[Scripted, Path]) -> None:
    server, certificate = secure
    server.answers = [[b"HTTP/1.1 200 OK\r\n"]]
    with pytest.raises(ConnectionFailed):
        Connections(Origin.of(server.url), str(certificate)).post({}, b"x", 0.2)


def test_an_untrusted_certificate_is_refused(secure: tuple[Scripted, Path]) -> None:
    server, _ = secure
    with pytest.raises(ConnectionFailed):
        Connections(Origin.of(server.url)).post({}, b"x", 5.0)
