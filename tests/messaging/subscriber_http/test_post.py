"""A POST to an endpoint, and its answer."""

import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from messaging.subscriber_http.post import Answer, SubscriberClient
from messaging.subscriber_http.signature import new_secret, signed_headers
from messaging.subscriber_http.ssrf_guard import NetworkPolicy
from testkit.ports import free_port
from tests.messaging.subscriber_http.test_ssrf_guard import always_resolving
from tests.messaging.whatsapp.wire import Behaviour, Server, after_request, answering, http
from tests.servers.certificates import self_signed
from tests.waiting import PATIENCE_S

HERE = NetworkPolicy((ipaddress.ip_network("127.0.0.0/8"),), http=True)
BODY = json.dumps({"type": "message.received", "data": {"text": "Grüße"}}).encode()
Post = Callable[..., Answer]


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@pytest.fixture
def post(server: Server) -> Post:
    """Posts to that server, and waits for its answer however busy the machine is."""
    poster = SubscriberClient(HERE, total_timeout_s=PATIENCE_S)
    return lambda url=server.url, **headers: poster.post(url, BODY, headers)


def test_a_2xx_is_a_success_without_an_error(server: Server, post: Post) -> None:
    server.behaviour = answering(http(204, b""))
    answer = post()
    assert (answer.status, answer.is_success, answer.error) == (204, True, "")


def test_the_body_arrives_as_signed(server: Server, post: Post) -> None:
    secret = new_secret()
    post(**signed_headers([secret], "msg_1", datetime.now(UTC), BODY))
    head, body = server.requests[0]
    headers = dict(line.decode().lower().split(": ", 1) for line in head.split(b"\r\n")[1:] if line)
    # Header values keep their case on the wire.
    signature = next(line for line in head.decode().split("\r\n") if line.startswith("webhook-signature"))
    headers["webhook-signature"] = signature.partition(": ")[2]
    assert Webhook(secret).verify(body, headers) == json.loads(BODY)


@pytest.mark.parametrize("which", [0, 1])
def test_while_a_secret_is_rotated_both_verify(which: int) -> None:
    valid = [new_secret(), new_secret()]
    headers = signed_headers(valid, "msg_1", datetime.now(UTC), BODY)
    assert Webhook(valid[which]).verify(BODY, headers)


def test_another_secret_does_not_verify() -> None:
    headers = signed_headers([new_secret()], "msg_1", datetime.now(UTC), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(500), "Answered 500."),
        (http(410), "Answered 410: the endpoint refuses further deliveries."),
        (http(302, b"", "Location: http://127.0.0.1:1/\r\n"), "Answered 302: redirects are not followed."),
    ],
    ids=["500", "410", "302"],
)
def test_a_refusal_has_an_error_text_and_redirects_are_not_followed(
    answer: bytes, words: str, server: Server, post: Post
) -> None:
    server.behaviour = answering(answer)
    refusal = post()
    assert refusal.error == words
    assert (len(server.requests), refusal.duration_ms in range(60_000)) == (1, True)


def hang(connection: socket.socket, server: Server) -> None:
    server.over.wait(PATIENCE_S)


def trickle(connection: socket.socket, server: Server) -> None:
    for byte in chain(b"HTTP/1.1 200 OK\r\nX-Long: ", repeat(ord("a"))):
        connection.sendall(bytes([byte]))
        if server.over.wait(0.05):
            return


@pytest.mark.parametrize("act", [hang, trickle])
def test_a_slow_endpoint_is_abandoned_at_the_time_limit(act: Behaviour, server: Server) -> None:
    server.behaviour = after_request(act)
    assert SubscriberClient(HERE, total_timeout_s=1).post(server.url, BODY, {}).error == "No answer within 1 s."


def test_an_answer_whose_body_never_ends_counts_by_its_status(server: Server) -> None:
    def endless(connection: socket.socket, server: Server) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"a" * 1000)
        server.over.wait(PATIENCE_S)

    server.behaviour = after_request(endless)
    assert SubscriberClient(HERE, total_timeout_s=3).post(server.url, BODY, {}).is_success


def test_a_broken_connection_has_its_error_text(server: Server, post: Post) -> None:
    server.behaviour = after_request(lambda connection, _: connection.close())
    assert post().error == "The connection broke before the answer came."


def test_a_closed_port_has_its_error_text(post: Post) -> None:
    assert post(f"http://127.0.0.1:{free_port()}/").error == "No connection: the connection was refused."


def test_a_private_address_gets_no_request(server: Server) -> None:
    answer = SubscriberClient(NetworkPolicy(http=True)).post(server.url, BODY, {})
    assert (answer.status, server.accepted) == (None, 0)
    assert answer.error == "Not sent: 127.0.0.1 is an address of a private network, which is not allowed."


def over_tls(certificate: Path) -> Behaviour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection: socket.socket, server: Server) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            answering(http())(secured, server)

    return behave


def test_over_tls_the_host_name_is_checked_and_the_connection_reused(server: Server, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    server.behaviour = over_tls(certificate)
    poster = SubscriberClient(HERE)
    poster.session.verify = str(certificate)
    url = server.url.replace("http:", "https:")
    assert [poster.post(url, BODY, {}).status for _ in range(2)] == [200, 200]
    assert server.accepted == 1


def test_an_untrusted_certificate_gets_no_request(server: Server, tmp_path: Path) -> None:
    server.behaviour = over_tls(self_signed(tmp_path))
    answer = SubscriberClient(HERE).post(server.url.replace("http:", "https:"), BODY, {})
    assert (answer.error, server.requests) == ("No connection: its TLS certificate is not valid for this name.", [])


def test_retry_after_is_read_from_the_answer(server: Server, post: Post) -> None:
    server.behaviour = answering(http(503, b"", "Retry-After: 7\r\n"))
    assert post().retry_after_s == 7


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """127.0.0.2 and all after it answer no connection: they are a listener whose backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        connect, dead = socket.socket.connect, listener.getsockname()
        monkeypatch.setattr(
            socket.socket, "connect", lambda sock, at: connect(sock, at if at[0] == "127.0.0.1" else dead)
        )
        yield


@pytest.mark.usefixtures("silent")
def test_many_silent_addresses_end_within_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    always_resolving(monkeypatch, *(f"127.0.0.{n}" for n in range(2, 6)))
    answer = SubscriberClient(HERE, total_timeout_s=3).post("http://hooks.example/", BODY, {})
    assert (answer.error, answer.duration_ms <= 3000) == ("No connection: the connection timed out.", True)


@pytest.mark.usefixtures("silent")
def test_two_silent_addresses_hide_no_third(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    always_resolving(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.1")
    port = server.url.rpartition(":")[2]
    answer = SubscriberClient(HERE).post(f"http://hooks.example:{port}/", BODY, {})
    assert (answer.error, answer.is_success) == ("", True)


INTERIM = [100, 102, 103, 199]


@pytest.mark.parametrize("status", INTERIM)
def test_a_1xx_answer_is_not_the_final_answer(status: int, server: Server, post: Post) -> None:
    early = f"HTTP/1.1 {status} Early\r\nLink: </style.css>; rel=preload\r\n\r\n".encode()
    server.behaviour = answering(early + early + http(204, b""))
    assert post().status == 204
