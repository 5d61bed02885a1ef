"""The web process as the Procfile starts it, against clients that are slow, large, silent or wrong."""

import json
import os
import re
import shlex
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import requests
from django.db import connection

from deploy.local import procfile
from messaging.models import IncomingMark
from messaging.whatsapp.inbound.signature import HEADER, sign
from testkit.ports import free_port
from tests.environment import APP_SECRET
from tests.messaging.bodies import inbound_text, webhook
from tests.processes import CHECKOUT, Process
from tests.waiting import PATIENCE_S, eventually

pytestmark = [
    pytest.mark.slow("starts processes of the pipeline"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sqs"),
    pytest.mark.enable_socket,
]

WEBHOOK = json.dumps(webhook(inbound_text())).encode()
SLOW, PROMISED_S, TRIES = 64, 2.0, 5
CROWD = 520


class Web(Process):
    """The Procfile's web line with one worker process."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        settings = {"BIND_ADDRESS": "127.0.0.1", "PORT": str(self.port), "WEB_WORKERS": "1"}
        command = procfile.read(CHECKOUT / "Procfile")["web"]
        at = connection.settings_dict
        database = f"postgres://waproject:{at['PASSWORD']}@127.0.0.1:{at['PORT']}/{at['NAME']}"
        arguments = ["-m", *shlex.split(command)]
        super().__init__(arguments, "Booting worker", log, DATABASE_URL=database, **settings)
        self.url = f"http://127.0.0.1:{self.port}"
        try:
            assert eventually(self._answers), self.log
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/live", timeout=2).ok
        except requests.RequestException:
            return False

    def connect(self, data: bytes = b"") -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        sock.sendall(data)
        return sock

    def client_ports(self) -> set[int]:
        """The ports of the clients whose connections the worker has accepted."""
        found = psutil.Process(self.worker_pid).net_connections("tcp")
        return {connection.raddr.port for connection in found if connection.raddr}

    @property
    def worker_pid(self) -> int:
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@contextmanager
def ended(web: Web) -> Iterator[Web]:
    """A web process that does not outlive the block."""
    try:
        yield web
    finally:
        web.kill()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, sqs_server: Any) -> Iterator[Web]:
    with ended(Web(tmp_path_factory.mktemp("web") / "web.log")) as running:
        yield running


def head(method: str = "POST", path: str = "/webhook/whatsapp", **headers: object) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def answer(sock: socket.socket) -> tuple[int, str]:
    """The status and the whole answer, until its end or until the server closes."""
    data = b""
    while b"\r\n\r\n" not in data and (more := sock.recv(65536)):
        data += more
    if length := re.search(rb"(?i)content-length: (\d+)", data):
        end = data.find(b"\r\n\r\n") + 4 + int(length[1])
        while len(data) < end and (more := sock.recv(65536)):
            data += more
    elif b"chunked" in data:
        while not data.endswith(b"0\r\n\r\n") and (more := sock.recv(65536)):
            data += more
    return int(data.split(b" ", 2)[1]), data.decode(errors="replace")


def is_closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def test_the_first_webhook_records_that_the_process_before_may_have_refused_others(web: Web) -> None:
    """That one may have ended between a 503 and its next webhook."""
    signed = {HEADER: sign(WEBHOOK, APP_SECRET)}
    assert requests.post(f"{web.url}/webhook/whatsapp", WEBHOOK, headers=signed, timeout=PATIENCE_S).ok
    assert list(IncomingMark.objects.values_list("kind", flat=True)) == ["refused"]


SLOW_CLIENTS = {
    "silent": b"",
    "half a head": b"POST /webhook/whatsapp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
    "a head and one byte": head(Content_Length=1000) + b"{",
    "a head and half a chunk": head(Transfer_Encoding="chunked") + b"ff\r\n{",
    "a large upload that stalls": head(path="/messaging/media", Content_Length=90_000_000) + b"x" * 100_000,
    "an answer that nobody reads": head("GET", "/health/live", Connection="close"),
}


@pytest.mark.parametrize("sent", SLOW_CLIENTS.values(), ids=SLOW_CLIENTS)
def test_slow_clients_do_not_delay_others_by_two_seconds(sent: bytes, web: Web) -> None:
    """One try of several suffices: a server that waits for slow clients is late each time, a busy machine is not."""
    assert any(_answers_beside(sent, web) for _ in range(TRIES))


def _answers_beside(sent: bytes, web: Web) -> bool:
    """Whether a health check and a signed webhook are answered in time beside 64 new slow clients."""
    signed = {HEADER: sign(WEBHOOK, APP_SECRET)}
    with ExitStack() as slow:
        for _ in range(SLOW):
            slow.enter_context(web.connect(sent))
        began = time.monotonic()
        try:
            answers = (
                requests.get(f"{web.url}/health/live", timeout=PROMISED_S),
                requests.post(f"{web.url}/webhook/whatsapp", WEBHOOK, headers=signed, timeout=PROMISED_S),
            )
        except requests.Timeout:
            return False
        assert [answer.status_code for answer in answers] == [200, 200]
        return time.monotonic() - began < PROMISED_S


def test_a_request_that_arrives_byte_by_byte_is_answered(web: Web) -> None:
    sock = web.connect()
    for byte in head(Content_Length=len(WEBHOOK), **{"X-Hub-Signature-256": sign(WEBHOOK, APP_SECRET)}) + WEBHOOK:
        sock.sendall(bytes([byte]))
    assert answer(sock)[0] == 200


def test_a_body_in_chunks_that_arrive_apart_is_answered(web: Web) -> None:
    sock = web.connect(head(Transfer_Encoding="chunked", **{"X-Hub-Signature-256": sign(WEBHOOK, APP_SECRET)}))
    for at in range(0, len(WEBHOOK), 100):
        piece = WEBHOOK[at : at + 100]
        sock.sendall(f"{len(piece):x};a=b\r\n".encode() + piece + b"\r\n")
    sock.sendall(b"0\r\nX-Trailer: 1\r\n\r\n")
    assert answer(sock)[0] == 200


def test_one_connection_serves_request_after_request(web: Web) -> None:
    sock = web.connect()
    for _ in range(3):
        sock.sendall(head("GET", "/health/live"))
        assert answer(sock)[0] == 200


def test_requests_that_arrive_together_are_answered_in_turn(web: Web) -> None:
    sock = web.connect(head("GET", "/health/live") * 2 + head("GET", "/health/live", Connection="close"))
    data = b""
    while more := sock.recv(65536):
        data += more
    assert data.count(b"HTTP/1.1 200") == 3


REFUSED = {
    "a length over the limit": (head(Content_Length=4_000_000) + b"x" * 1000, 413),
    "chunks over the limit": (head(Transfer_Encoding="chunked") + b"400000\r\n" + b"x" * 3_400_000, 413),
    "length and chunks": (head(Content_Length=5, Transfer_Encoding="chunked") + b"x", 400),
    "two lengths": (head(Content_Length=5)[:-2] + b"Content-Length: 6\r\n\r\nx", 400),
    "a length that is no number": (head(Content_Length="+5") + b"x", 400),
    "a head that is too large": (head(X_Large="x" * 70_000)[:-4], 431),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_a_body_that_is_not_read_closes_its_connection_and_says_so(sent: bytes, status: int, web: Web) -> None:
    sock = web.connect(sent)
    found, text = answer(sock)
    assert (found, "connection: close" in text.lower(), is_closed(sock)) == (status, True, True)


def test_a_charset_of_no_text_breaks_no_request(web: Web) -> None:
    answer = requests.get(
        f"{web.url}/health/live?a=b", headers={"Content-Type": "text/plain; charset=hex"}, timeout=PATIENCE_S
    )
    assert answer.status_code == 200


def test_a_form_in_a_charset_that_is_slow_to_decode_holds_no_thread(web: Web) -> None:
    # Without a log-in: 200 KB took 17 s, and its square follows.
    form = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"a" * 1_000_000 + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b; charset=punycode"
    answer = requests.post(f"{web.url}/admin/login/", form, headers={"Content-Type": kind}, timeout=PATIENCE_S)
    assert answer.status_code in {400, 403}


@pytest.mark.parametrize("name", ["Content-Type", "Accept"])
def test_a_header_that_django_cannot_read_is_no_500(name: str, web: Web) -> None:
    headers = {name: "application/json; x*=nonsense''a"}
    assert requests.get(f"{web.url}/messaging/messages", headers=headers, timeout=PATIENCE_S).status_code == 401


def test_a_head_that_is_too_large_is_refused_with_its_reason(web: Web) -> None:
    _, text = answer(web.connect(head(X_Large="x" * 70_000)[:-4]))
    assert json.loads(text.partition("\r\n\r\n")[2]) == {"detail": "The request's head is over 64 KB."}


def test_a_refused_body_that_arrived_whole_keeps_its_connection(web: Web) -> None:
    sock = web.connect(head(path="/messaging/send", Content_Length=200_000) + b"x" * 200_000)
    assert answer(sock)[0] == 401
    sock.sendall(head("GET", "/health/live"))
    assert answer(sock)[0] == 200


def test_a_client_that_waits_for_100_continue_gets_it_once(web: Web) -> None:
    sock = web.connect(
        head(Content_Length=len(WEBHOOK), Expect="100-continue", **{"X-Hub-Signature-256": sign(WEBHOOK, APP_SECRET)})
    )
    assert answer(sock)[0] == 100
    sock.sendall(WEBHOOK)
    assert answer(sock)[0] == 200


def test_a_client_that_waits_for_100_continue_is_refused_at_once_when_its_body_is_too_large(web: Web) -> None:
    assert answer(web.connect(head(Content_Length=4_000_000, Expect="100-continue")))[0] == 413


def test_a_request_that_arrives_too_slowly_is_a_408(web: Web) -> None:
    sock = web.connect(b"GET /health/live HTTP/1.1\r\n")
    assert (answer(sock)[0], is_closed(sock)) == (408, True)


@contextmanager
def crowd(web: Web, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """More connections than half of the 1,000 that a process takes; `sent` is answered on each."""
    with ExitStack() as stack:
        connections = []
        for _ in range(CROWD):
            connections.append(stack.enter_context(web.connect(sent)))
            assert not sent or answer(connections[-1])[0] == 200
        ports = {sock.getsockname()[1] for sock in connections[100:]}
        assert eventually(lambda: ports <= web.client_ports())
        yield connections


def test_idle_connections_make_room_for_new_ones(tmp_path: Path, sqs: Any) -> None:
    with ended(Web(tmp_path / "web.log")) as web, crowd(web, head("GET", "/health/live")) as idle:
        new = [web.connect() for _ in range(5)]
        assert eventually(lambda: {sock.getsockname()[1] for sock in new} <= web.client_ports())
        for sock in new:
            sock.sendall(head("GET", "/health/live"))
            assert answer(sock)[0] == 200
        assert is_closed(idle[0])
        idle[-1].sendall(head("GET", "/health/live"))
        assert answer(idle[-1])[0] == 200


def test_a_connection_that_makes_room_as_its_request_arrives_ends_no_process(tmp_path: Path, sqs: Any) -> None:
    with ended(Web(tmp_path / "web.log")) as web, crowd(web) as silent:
        open_ = web.client_ports()
        oldest = next(sock for sock in silent if sock.getsockname()[1] in open_)
        pid = web.worker_pid
        os.kill(pid, signal.SIGSTOP)
        new = web.connect()  # the worker reads both events in one turn, this one first
        oldest.sendall(head("GET", "/health/live"))
        os.kill(pid, signal.SIGCONT)
        new.sendall(head("GET", "/health/live"))
        assert (answer(oldest)[0], answer(new)[0], web.worker_pid) == (200, 200, pid)


def test_parallel_bodies_of_empty_lists_leave_the_process_small(web: Web, api_key: str) -> None:
    body = b"[" + b"[]," * 2_700_000 + b"[]]"
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def send(_: int) -> int:
        return requests.post(f"{web.url}/messaging/send/bulk", body, headers=headers, timeout=PATIENCE_S).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(send, range(24))) == {400}
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{web.worker_pid}/status").read_text())
    assert peak and int(peak[1]) < 500_000


def test_a_stopping_server_answers_what_has_arrived_and_what_is_arriving(tmp_path: Path, sqs: Any) -> None:
    with ended(Web(tmp_path / "web.log")) as web:
        headers: dict[str, Any] = {"Content_Length": len(WEBHOOK), "X-Hub-Signature-256": sign(WEBHOOK, APP_SECRET)}
        arriving, silent = web.connect(head(**headers) + WEBHOOK[:100]), web.connect()
        assert eventually(lambda: {arriving.getsockname()[1], silent.getsockname()[1]} <= web.client_ports())
        os.kill(web.process.pid, signal.SIGTERM)
        time.sleep(0.5)
        arriving.sendall(WEBHOOK[100:])
        assert answer(arriving)[0] == 200
        assert is_closed(silent)
        assert web.process.wait(PATIENCE_S) == 0
