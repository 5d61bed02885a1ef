"""Load over HTTP, against a real server."""

import asyncio
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from testkit.load import http_load
from tests.servers.http import Handler, serving


class Server(Handler):
    """Answers by path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.body()
        if self.path == "/closes":
            self.close_connection = True
            return
        if self.path == "/is-no-http":
            self.wfile.write(b"Hello!\r\n\r\n")
            return
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"2\r\nok\r\n0\r\n\r\n")
            return
        self.answer(202, b"ok")


@pytest.fixture
def url() -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Server)) as url:
        yield url


@pytest.mark.parametrize(
    ("path", "statuses"),
    [("/", [202, 202]), ("/closes", [0, 0]), ("/is-no-http", [0, 0]), ("/chunked", [200, 200])],
)
def test_each_answer_has_its_status(url: str, path: str, statuses: list[int]) -> None:
    requests = [http_load.request(url + path, b"{}", {})] * 2
    assert http_load.run(url, requests, None, connections=1).statuses == statuses


def test_a_stopped_load_begins_no_request_and_keeps_the_answers_until_then(url: str) -> None:
    async def load() -> http_load.Answers:
        stop, seen = asyncio.Event(), list[int]()

        def answered(status: int) -> None:
            seen.append(status)
            if len(seen) == 3:
                stop.set()

        requests = [http_load.request(f"{url}/", b"{}", {})] * 1000
        return await http_load.load(url, requests, None, 1, stop=stop, answered=answered)

    answers = asyncio.run(load())
    assert (answers.statuses, len(answers.latencies)) == ([202] * 3, 3)
