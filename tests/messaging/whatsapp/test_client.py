import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pytest

from messaging.whatsapp import connections
from messaging.whatsapp.client import MAX_ANSWER, Accepted, CloudApi
from messaging.whatsapp.errors import Misconfigured, NotSent, OutcomeUnknown, Rejected, Throttled, Unavailable
from tests.messaging.whatsapp.calls import (
    BODY,
    HEAD,
    TOKEN,
    close,
    failure_of,
    hang,
    hang_in_body,
    reset,
    say,
    trickle,
)
from tests.messaging.whatsapp.wire import OK, Server, after_request, answering, http
from tests.waiting import PATIENCE_S, eventually


def test_an_accepted_message_has_its_wamid(api: CloudApi, server: Server) -> None:
    assert api.send("106", BODY) == Accepted("wamid.A", "16505551234", None, "accepted")
    head, body = server.requests[0]
    assert head.startswith(b"POST /v26.0/106/messages HTTP/1.1")
    assert f"authorization: bearer {TOKEN}".lower().encode() in head.lower()
    assert json.loads(body) == BODY


def test_early_hints_are_not_metas_answer(api: CloudApi, server: Server) -> None:
    server.behaviour = answering(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" + http())
    assert isinstance(api.send("106", BODY), Accepted)


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"


@pytest.mark.parametrize("interim", [EARLY_HINTS, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 199 X\r\n\r\n"])
def test_twenty_interim_answers_are_passed_over(api: CloudApi, server: Server, interim: bytes) -> None:
    server.behaviour = answering(interim * 20 + http())
    assert isinstance(api.send("106", BODY), Accepted)


@pytest.mark.parametrize("interim", [EARLY_HINTS, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_more_than_twenty_interim_answers_are_an_error_of_the_connection(
    api: CloudApi, server: Server, interim: bytes
) -> None:
    server.behaviour = answering(interim * 21 + http())
    assert isinstance(failure_of(api), OutcomeUnknown)


@pytest.mark.parametrize(
    ("contacts", "expected"), [([{"user_id": "US.1"}], "US.1"), (None, None), ([], None), ([5], None), ({}, None)]
)
def test_the_contact_of_an_answer_is_optional(api: CloudApi, server: Server, contacts: Any, expected: Any) -> None:
    server.behaviour = answering(http(body={"messages": [{"id": "wamid.A"}], "contacts": contacts}))
    assert api.send("106", BODY) == Accepted("wamid.A", None, expected, None)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 131026, Rejected),
        (429, 130429, Throttled),
        (401, 190, Misconfigured),
        (400, 131016, Unavailable),
        (500, 131016, OutcomeUnknown),
        (503, 100, OutcomeUnknown),
    ],
)
def test_refusals_are_sorted_by_their_code(
    api: CloudApi, server: Server, status: Any, code: int, expected: Any
) -> None:
    server.behaviour = answering(http(status, {"error": {"code": code, "message": "no"}}))
    error = failure_of(api)
    assert (type(error), error.code, error.http_status) == (expected, code, status)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_4xx_without_json_is_a_temporary_refusal(api: CloudApi, server: Server, status: Any) -> None:
    server.behaviour = answering(http(status, b"<html>go away</html>", "Retry-After: 5\r\n"))
    error = failure_of(api)
    assert isinstance(error, Unavailable)
    assert error.wait == 5.0


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", b"<html>", b"null", b"[]", b"[" * 5000, b"9" * 5000, {}, {"messages": []}),
        *({"messages": 5}, {"messages": [{}]}, {"messages": [{"id": ""}]}, {"messages": [{"id": 5}]}),
        {"messages": [{"id": "w" * 513}]},
    ],
)
def test_a_200_that_names_no_message_may_have_sent_one(api: CloudApi, server: Server, body: Any) -> None:
    server.behaviour = answering(http(body=body))
    assert isinstance(failure_of(api), OutcomeUnknown)


def test_a_redirect_is_not_followed(api: CloudApi, server: Server) -> None:
    server.behaviour = answering(http(302, extra=f"Location: {server.url}/elsewhere\r\n"))
    assert isinstance(failure_of(api), OutcomeUnknown)
    assert len(server.requests) == 1


def test_a_refused_connection_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert isinstance(failure_of(CloudApi(f"http://127.0.0.1:{port}", "v26.0", TOKEN)), NotSent)


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 64 + ".invalid"])
def test_a_name_that_does_not_resolve_sends_nothing(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert isinstance(failure_of(CloudApi(f"http://{host}", "v26.0", TOKEN)), NotSent)


def test_a_connect_timeout_sends_nothing() -> None:
    """A full backlog leaves further connections unanswered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert isinstance(failure_of(CloudApi(url, "v26.0", TOKEN, connect_timeout=0.2)), NotSent)
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\n\r\n", None])
def test_a_failed_tls_handshake_sends_nothing(server: Server, reply: Any) -> None:
    def behave(connection: socket.socket, running: Server) -> None:
        connection.recv(65536)
        if reply is None:
            running.over.wait(PATIENCE_S)
        else:
            connection.sendall(reply)

    server.behaviour = behave
    api = CloudApi(server.url.replace("http:", "https:"), "v26.0", TOKEN, connect_timeout=0.3)
    assert isinstance(failure_of(api), NotSent)


def test_a_connect_that_leaves_too_little_time_sends_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = connections.WatchedHTTP.connect

    def connect_slowly(self: Any) -> None:
        connect(self)
        time.sleep(0.3)

    monkeypatch.setattr(connections.WatchedHTTP, "connect", connect_slowly)
    api = CloudApi(server.url, "v26.0", TOKEN, total_timeout=0.5)
    assert isinstance(failure_of(api), NotSent)
    assert server.requests == []


@pytest.mark.parametrize(
    "act",
    [
        hang,
        reset,
        close,
        say(b"garbage\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\nContent-Le"),
        say(HEAD + b'{"messages"'),
        hang_in_body,
        trickle(b"", b"HTTP/1.1 200 OK "),
        trickle(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        trickle(HEAD, b" "),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        trickle(b"HTTP/1.1 400 Bad\r\nContent-Length: 5000\r\n\r\n", b" "),
    ],
    ids=[
        *("hang", "reset", "close", "garbage", "half head", "half body", "hang in body", "trickled status"),
        *("trickled headers", "trickled body", "trickled chunks", "trickled refusal"),
    ],
)
def test_once_the_request_left_any_failure_is_of_unknown_outcome_and_in_time(
    hasty_api: CloudApi, server: Server, act: Any
) -> None:
    server.behaviour = after_request(act)
    started = time.monotonic()
    assert isinstance(failure_of(hasty_api), OutcomeUnknown)
    assert time.monotonic() - started < PATIENCE_S
    assert eventually(lambda: server.requests)
    assert len(server.requests) == 1


def test_the_last_wait_ends_with_the_calls_time(server: Server) -> None:
    def act(connection: socket.socket, running: Server) -> None:
        running.over.wait(0.5)
        connection.sendall(HEAD)
        hang(connection, running)

    server.behaviour = after_request(act)
    started = time.monotonic()
    assert isinstance(
        failure_of(CloudApi(server.url, "v26.0", TOKEN, read_timeout=0.7, total_timeout=0.8)), OutcomeUnknown
    )
    assert time.monotonic() - started < PATIENCE_S


def test_a_server_that_closes_without_reading_may_have_read(api: CloudApi, server: Server) -> None:
    server.behaviour = lambda connection, _: connection.recv(10)
    assert isinstance(failure_of(api, text={"body": "x" * 4096}), OutcomeUnknown)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_endless_answer_is_cut_off(api: CloudApi, server: Server, chunked: bool) -> None:
    content = b" " * (MAX_ANSWER + 10)
    whole = http(body=content)
    if chunked:
        whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    server.behaviour = answering(whole)
    assert isinstance(failure_of(api), OutcomeUnknown)


def test_a_chunked_answer_is_read(api: CloudApi, server: Server) -> None:
    content = json.dumps(OK).encode()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.behaviour = answering(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))
    assert [api.send("106", BODY).wamid for _ in range(3)] == ["wamid.A"] * 3
    assert server.accepted == 1


def test_a_connection_is_used_again_also_after_a_refusal(api: CloudApi, server: Server) -> None:
    server.behaviour = answering(http(400, {"error": {"code": 100}}), http())
    failure_of(api)
    for _ in range(5):
        api.send("106", BODY)
    assert server.accepted == 1


def test_a_connection_that_the_server_closed_while_idle_is_not_used_again(api: CloudApi, server: Server) -> None:
    server.behaviour = after_request(say(http()))
    for _ in range(5):
        assert api.send("106", BODY).wamid == "wamid.A"
        assert eventually(lambda: not server.serving, every=0.01)
    assert server.accepted == 5


def test_a_connection_that_idled_long_is_not_used_again(
    api: CloudApi, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.send("106", BODY)
    monkeypatch.setattr(connections, "MAX_IDLE", 0.05)
    time.sleep(0.1)
    api.send("106", BODY)
    assert server.accepted == 2


def test_a_connection_that_failed_is_not_used_again(hasty_api: CloudApi, server: Server) -> None:
    server.behaviour = after_request(hang)
    failure_of(hasty_api)
    server.behaviour = answering(http())
    hasty_api._read_timeout = hasty_api._total_timeout = PATIENCE_S
    assert hasty_api.send("106", BODY).wamid == "wamid.A"


def test_many_threads_share_one_client(server: Server) -> None:
    api = CloudApi(
        server.url, "v26.0", TOKEN, pool_size=50,
        connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, total_timeout=2 * PATIENCE_S,
    )  # fmt: skip
    with closing(api), ThreadPoolExecutor(40) as threads:
        found = list(threads.map(lambda at: api.send(str(at), BODY).wamid, range(400)))
    assert found == ["wamid.A"] * 400
    assert {head.split(b"/")[2] for head, _ in server.requests} == {str(at).encode() for at in range(400)}
    assert server.accepted <= 40


def test_one_threads_failure_is_not_anothers(server: Server) -> None:
    server.behaviour = after_request(hang)
    barrier = threading.Barrier(2)

    def attempt(url: str) -> type[Any]:
        caller = CloudApi(url, "v26.0", TOKEN, connect_timeout=PATIENCE_S, read_timeout=0.2)
        barrier.wait()
        return type(failure_of(caller))

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(attempt, [server.url, "http://127.0.0.1:1"])) == [OutcomeUnknown, NotSent]


def test_the_environments_proxy_is_not_used(api: CloudApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert api.send("106", BODY).wamid == "wamid.A"


def test_a_cookie_is_not_kept(api: CloudApi, server: Server) -> None:
    server.behaviour = answering(http(extra="Set-Cookie: a=b\r\n"))
    api.send("106", BODY)
    api.send("106", BODY)
    assert b"cookie" not in server.requests[1][0].lower()


@pytest.mark.parametrize(("typing", "indicator"), [(False, {}), (True, {"typing_indicator": {"type": "text"}})])
def test_a_message_is_marked_read(api: CloudApi, server: Server, typing: bool, indicator: Any) -> None:
    server.behaviour = answering(http(body={"success": True}))
    api.mark_read("106", "wamid.B", typing=typing)
    expected = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.B"}
    assert json.loads(server.requests[0][1]) == expected | indicator


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(400, {"error": {"code": 131009}}), Rejected),
        (http(body={"success": False}), OutcomeUnknown),
        (http(body=b""), OutcomeUnknown),
    ],
)
def test_marking_read_fails_like_a_send(api: CloudApi, server: Server, answer: Any, expected: Any) -> None:
    server.behaviour = answering(answer)
    with pytest.raises(expected):
        api.mark_read("106", "wamid.B")


def test_ids_cannot_leave_their_place_in_the_url(api: CloudApi, server: Server) -> None:
    api.send("../x?y", BODY)
    assert server.requests[0][0].startswith(b"POST /v26.0/..%2Fx%3Fy/messages ")


def test_the_token_is_not_shown() -> None:
    api = CloudApi("https://graph.facebook.com/", "v26.0", TOKEN)
    assert repr(api) == "CloudApi('https://graph.facebook.com/v26.0')"


@pytest.mark.parametrize("url", ["", "graph.facebook.com", "ftp://graph.facebook.com", "https://"])
def test_a_url_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Graph URL"):
        CloudApi(url, "v26.0", TOKEN)


@pytest.mark.parametrize("token", [TOKEN + "\n", "é" + TOKEN, TOKEN + " x"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValueError, match="access token") as caught:
        CloudApi("https://graph.facebook.com", "v26.0", token)
    assert TOKEN not in str(caught.value)
