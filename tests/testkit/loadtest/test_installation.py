"""The proof that a load test reaches a sandbox."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from messaging.management.commands.loadtest import Command
from testkit.load.http_load import Answers
from testkit.load.sandbox import Sandbox
from testkit.loadtest.installation import Access, Installation, Refused, address, sandbox_number
from testkit.loadtest.report import Witness
from testkit.loadtest.run import Load
from tests.servers.http import Handler, serving
from tests.waiting import PATIENCE_S, eventually


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be an address"),
        ("wa.example.com", "must be an address"),
        ("ftp://wa.example.com", "must be an address"),
        ("https://", "must be an address"),
        ("https://wa.example.com:99999", "must be an address"),
        ("https://wa.example.com:0", "must be an address"),
        ("https://[::1", "must be an address"),
        ("https://ann:secret@wa.example.com", "without a log-in"),
        ("https://wa.example.com/api", "without a log-in, path or query"),
        ("https://wa.example.com?x=1", "without a log-in, path or query"),
        ("http://wa.example.com", "must start with https"),
        ("http://127.0.0.1.example.com", "must start with https"),
    ],
)
def test_what_is_no_address_to_send_a_key_to_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=f"--target .*{words}"):
        address("--target", text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("https://wa.example.com/", "https://wa.example.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_loses_its_last_slash(text: str, taken: str) -> None:
    assert address("--target", text) == taken


class Stand(ThreadingHTTPServer):
    """An installation and a sandbox in one server; `answers` by path, each a status and JSON."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: dict[str, tuple[int, Any]] = {"/_sandbox/health": (200, {"ok": True, "at": time.time()})}
        self.authorizations: list[str] = []

    def states(self, graph_url: str) -> None:
        self.answers["/monitoring/provider"] = (200, {"graph_url": graph_url, "phone_number_id": "106"})


class _Handler(Handler):
    server: Stand

    def do_GET(self) -> None:
        self.server.authorizations.append(self.headers.get("Authorization", ""))
        status, body = self.server.answers.get(self.path.partition("?")[0], (404, {}))
        content = json.dumps(body).encode() if not isinstance(body, bytes) else body
        self.answer(status, content, Location=f"{self.server.url}/elsewhere")


@pytest.fixture
def stand() -> Iterator[Stand]:
    server = Stand()
    with serving(server):
        yield server


def number(stand: Stand, ledger: str = "") -> str:
    return sandbox_number(Installation(Access(stand.url, "key", "secret")), ledger or stand.url)


def test_a_target_that_sends_to_the_ledgers_sandbox_is_loaded(stand: Stand) -> None:
    stand.states(stand.url)
    assert number(stand) == "106"


@pytest.mark.parametrize(
    "graph_url", ["https://graph.facebook.com", "https://facebook.com", "https://x.whatsapp.net", "https://GRAPH.Facebook.com"]
)  # fmt: skip
def test_a_target_that_sends_to_meta_is_refused(stand: Stand, graph_url: str) -> None:
    stand.states(graph_url)
    with pytest.raises(Refused, match="sends to Meta"):
        number(stand, graph_url)


@pytest.mark.parametrize("graph_url", ["https://proxy.example.com", "http://127.0.0.1:1", ""])
def test_a_ledger_of_another_server_is_refused(stand: Stand, graph_url: str) -> None:
    stand.states(graph_url)
    with pytest.raises(Refused, match="is of another server"):
        number(stand)


@pytest.mark.parametrize(
    "health", [(404, {}), (200, {}), (200, []), (200, {"ok": True, "at": "noon"}), (200, b"Hello!")]
)
def test_a_ledger_that_is_no_sandbox_is_refused(stand: Stand, health: tuple[int, Any]) -> None:
    stand.states(stand.url)
    stand.answers["/_sandbox/health"] = health
    with pytest.raises(Refused, match="--ledger is no sandbox"):
        number(stand)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}), "answered 401"),
        ((404, {}), "answered 404"),
        ((302, {}), "answered 302"),
        ((200, b"<html>"), "JSON"),
        ((200, {}), "not answered as by this pipeline"),
        ((200, []), "not answered as by this pipeline"),
    ],
)
def test_a_target_that_does_not_state_its_cloud_api_is_refused(
    stand: Stand, answer: tuple[int, Any], words: str
) -> None:
    stand.answers["/monitoring/provider"] = answer
    with pytest.raises(Refused, match=words):
        number(stand)


@pytest.mark.parametrize(
    "answer", [{}, [], {"results": [{}], "next": None}, {"results": [], "next": "/messages"}, {"results": 1, "next": 2}]
)
def test_a_list_of_messages_of_another_shape_is_refused(stand: Stand, answer: Any) -> None:
    stand.answers["/messaging/messages"] = (200, answer)
    with pytest.raises(Refused, match=r"GET /messaging/messages of .* is not answered as by this pipeline"):
        Installation(Access(stand.url, "key", "secret")).statuses("spring")


def test_a_look_of_another_shape_does_not_settle_the_messages(stand: Stand) -> None:
    stand.answers["/messaging/messages"] = (200, {})
    with pytest.raises(Refused):
        Installation(Access(stand.url, "key", "secret")).is_settled("spring")


def test_the_key_follows_no_redirect(stand: Stand) -> None:
    stand.answers["/monitoring/provider"] = (302, {})
    with pytest.raises(Refused):
        number(stand)
    assert stand.authorizations == ["Bearer key"]


def test_a_target_that_is_away_is_said_to_be() -> None:
    with pytest.raises(Refused, match="does not answer"):
        sandbox_number(Installation(Access("http://127.0.0.1:1", "key", "secret")), "http://127.0.0.1:1")


def test_a_refused_look_does_not_end_the_wait_for_the_last_messages(stand: Stand) -> None:
    stand.answers["/_sandbox/ledger"] = (200, {"count": 0})
    witness = Witness(Installation(Access(stand.url, "key", "secret")), Sandbox(stand.url))
    stand.answers["/messaging/messages"] = (503, {})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(witness.settle, Load("run", [], Answers(), [], Answers(), False), PATIENCE_S)
        assert eventually(lambda: "Bearer key" in stand.authorizations)
        stand.answers["/messaging/messages"] = (200, {"results": [], "next": None})
        waiting.result()


@pytest.mark.parametrize("answer", [(503, {}), (200, {}), (200, []), (200, b"Hello!")])
def test_a_ledger_that_does_not_answer_before_the_load_is_a_reason_not_to_begin(
    stand: Stand, answer: tuple[int, Any]
) -> None:
    stand.answers["/_sandbox/ledger"] = answer
    with pytest.raises(Refused, match="the ledger does not answer"):
        Witness(Installation(Access(stand.url, "key", "secret")), Sandbox(stand.url))


@pytest.mark.parametrize("answer", [(503, {}), (200, {}), (200, []), (200, b"Hello!")])
def test_a_ledger_that_does_not_answer_after_the_load_leaves_the_report_of_it(
    stand: Stand, answer: tuple[int, Any]
) -> None:
    stand.answers["/_sandbox/ledger"] = (200, {"count": 0})
    stand.answers["/messaging/messages"] = (200, {"results": [], "next": None})
    witness = Witness(Installation(Access(stand.url, "key", "secret")), Sandbox(stand.url))
    stand.answers["/_sandbox/ledger"] = answer
    found, (reason,) = findings(witness)
    assert (found, "the ledger does not answer" in reason) == (None, True)


def test_a_second_ctrl_c_leaves_the_report_of_the_load(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.answers["/_sandbox/ledger"] = (200, {"count": 0})
    witness = Witness(Installation(Access(stand.url, "key", "secret")), Sandbox(stand.url))

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(witness, "settle", interrupted)
    monkeypatch.setattr(Installation, "statuses", interrupted)
    assert findings(witness) == (None, ["a second Ctrl-C ended the reading of the ledger"])


def findings(witness: Witness) -> Any:
    """What the command learns of a load of nothing, at once."""
    return Command()._findings(witness, Load("run", [], Answers(), [], Answers(), False), 0)
