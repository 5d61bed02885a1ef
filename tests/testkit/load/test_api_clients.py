"""Clients of the API count accepted messages, and fail loudly."""

from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from testkit.load.api_clients import ClientLoad
from tests.servers.http import Handler, serving


class Api(ThreadingHTTPServer):
    """Answers every request with `status`."""

    daemon_threads = True
    status = 202


class Send(Handler):
    """One connection."""

    server: Api

    def do_POST(self) -> None:
        """Answer."""
        self.body()
        self.answer(self.server.status)


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api(("127.0.0.1", 0), Send)
    with serving(server):
        yield server


def load(api: Api) -> ClientLoad:
    return ClientLoad(f"http://127.0.0.1:{api.server_port}", "key", 20, 0.1)


def test_a_message_answered_202_counts_as_accepted(api: Api) -> None:
    clients = load(api)
    clients.start()
    clients.wait()
    clients.stop()
    assert (len(clients.accepted) >= 20, clients.open_requests) == (True, 0)


@pytest.mark.parametrize("end", [ClientLoad.wait, ClientLoad.stop])
def test_a_refused_request_fails_the_load(api: Api, end: object) -> None:
    api.status = 400
    clients = load(api)
    clients.start()
    with pytest.raises(RuntimeError, match="refused a request: 400"):
        end(clients)  # type: ignore[operator]


def test_any_exception_of_a_client_fails_the_load(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testkit.load.api_clients.Client.send", lambda *_, **__: 1 / 0)
    clients = load(api)
    clients.start()
    with pytest.raises(ZeroDivisionError):
        clients.wait()
