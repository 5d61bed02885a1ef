"""The sandbox's own endpoints: the ledger as a witness, settings, reset, bad input."""

from __future__ import annotations

import http.client
import time
from threading import Timer

import pytest

from tests.waiting import PATIENCE_S, eventually, never

from ..process import NUMBER, Sandbox, text_message
from ..receiver import Receiver


def test_the_ledger_tells_what_was_accepted(sandbox: Sandbox) -> None:
    before = time.time()
    wamid = sandbox.send(biz_opaque_callback_data="our-id")
    [entry] = sandbox.ledger()["messages"]
    assert entry.pop("statuses") is not None
    assert before <= entry.pop("received_at") <= entry.pop("accepted_at") <= time.time()
    assert entry == {
        "wamid": wamid,
        "to": "15551230001",
        "type": "text",
        "biz_opaque_callback_data": "our-id",
        "phone_number_id": NUMBER,
        "marketing": False,
        "body": {**text_message(), "biz_opaque_callback_data": "our-id"},
    }


def test_the_ledger_tells_which_statuses_were_acknowledged(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.send()
    receiver.wait_for(3, lambda hook: "statuses" in hook.value)
    statuses = sandbox.ledger()["messages"][0]["statuses"]
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
    assert statuses[0]["at"] <= statuses[0]["acknowledged_at"]


def test_the_ledger_is_filtered_by_recipient_and_callback_data(sandbox: Sandbox) -> None:
    sandbox.send(to="15551230001", biz_opaque_callback_data="a/1 b")
    sandbox.send(to="15551230002")
    assert sandbox.ledger("?to=%2B15551230002")["count"] == 1
    assert sandbox.ledger("?callback=a%2F1%20b")["messages"][0]["to"] == "15551230001"
    assert sandbox.ledger("?to=15551230002&callback=a%2F1%20b") == {"count": 0, "messages": []}
    assert sandbox.ledger("?count_only=1") == {"count": 2}


def test_a_send_whose_client_has_left_is_accepted_all_the_same(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"answer_ms": [600, 600]})
    connection = sandbox.send_without_waiting()
    time.sleep(0.4)  # until it is at work on it, also on a busy machine
    connection.close()
    assert eventually(lambda: sandbox.ledger("?count_only=1") == {"count": 1}, every=0.05)


def test_settings_change_one_by_one(sandbox: Sandbox) -> None:
    changed = sandbox.post("/_sandbox/settings", {"answer_ms": [1, 2]})
    assert (changed["answer_ms"], changed["status_delays_ms"]) == ([1, 2], [10, 30, 50])
    assert sandbox.request("GET", "/_sandbox/settings") == (200, changed)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("settings", {"answer_ms": [2, 1]}, "answer_ms"),
        ("settings", {"answer_ms": 5}, "answer_ms"),
        ("settings", {"throughput": -1}, "throughput"),
        ("settings", {"throughput": True}, "throughput"),
        ("settings", {"throughputs": {"1": "x"}}, "throughputs.1"),
        ("settings", {"throughputs": 5}, "throughputs"),
        ("settings", {"throttle_status": 500}, "throttle_status"),
        ("settings", {"pair_limit": 1}, "pair_limit"),
        ("settings", {"window": "shut"}, "window"),
        ("settings", {"window": {}}, "window"),
        ("settings", {"webhook_copies": 2}, "webhook_copies"),
        ("settings", {"webhook_delay_ms": [5, 1]}, "webhook_delay_ms"),
        ("settings", {"webhook_batch": 0}, "webhook_batch"),
        ("settings", {"answer_ms": [True, 5]}, "answer_ms"),
        ("settings", {"status_delays_ms": [1, 2]}, "status_delays_ms"),
        ("settings", {"status_delays_ms": [1, 2, -3]}, "status_delays_ms"),
        ("settings", {"read": 1}, "read"),
        ("settings", {"speed": 1}, "speed"),
        ("settings", [], "body"),
        ("inbound", b"{", "body"),
        ("inbound", {"text": "Hi"}, "from"),
        ("inbound", {"from": 15551230001, "text": "Hi"}, "from"),
        ("inbound", {"user_id": "123", "text": "Hi"}, "user_id"),
        ("inbound", {"from": "15551230001"}, "text"),
        ("inbound", {"from": "15551230001", "text": ""}, "text"),
        ("inbound", {"from": "15551230001", "text": "Hi", "name": 1}, "name"),
        ("inbound", {"from": "15551230001", "type": 1}, "type"),
        ("inbound", {"from": "15551230001", "type": "location"}, "location"),
        ("inbound", {"from": "15551230001", "type": "video"}, "media"),
        ("inbound", {"from": "15551230001", "type": "image", "media": 1}, "media"),
        ("inbound", {"from": "15551230001", "type": "image", "media": {"data": "%"}}, "media"),
        ("inbound", {"from": "15551230001", "type": "image", "media": {"fault": "fire"}}, "fault"),
        ("inbound", {"from": "15551230001", "type": "image", "media": {"fault": "cut", "times": 0}}, "times"),
        ("inbound", {"from": "15551230001", "type": "image", "media": {"fault": "slow", "seconds": "1"}}, "seconds"),
        ("inbound", {"from": "15551230001", "type": "image", "caption": 1}, "caption"),
    ],
)
def test_bad_input_names_the_field(sandbox: Sandbox, path: str, body: object, field: str) -> None:
    status, answer = sandbox.request("POST", f"/_sandbox/{path}", body)
    assert (status, answer["field"]) == (400, field)
    assert answer["error"]


def test_reset_forgets_faults_and_limits(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"outcome": {"error": 4}})
    sandbox.post("/_sandbox/settings", {"throughput": 1})
    sandbox.post("/_sandbox/reset")
    assert sandbox.request("GET", "/_sandbox/faults") == (200, {"faults": []})
    assert [sandbox.send() for _ in range(3)]


def test_reset_forgets_everything(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"status_delays_ms": [0, 200, 200]})
    sandbox.send()
    sandbox.post("/_sandbox/reset")
    assert sandbox.ledger() == {"count": 0, "messages": []}
    assert sandbox.request("GET", "/_sandbox/settings")[1]["status_delays_ms"] == [10, 30, 50]


def test_after_a_reset_no_pending_status_and_no_retry_comes(sandbox: Sandbox, receiver: Receiver) -> None:
    # On a busy machine some of them come before the reset; each that fails leaves a retry, after 0.5 s and more.
    receiver.answers = [503] * 9
    sandbox.post("/_sandbox/settings", {"status_delays_ms": [0, 500, 1000]})
    sandbox.send()
    receiver.wait_for(1, lambda hook: hook.answered == 503)
    sandbox.post("/_sandbox/reset")
    came = len(receiver.hooks)
    assert never(lambda: len(receiver.hooks) > came, 1.5)


def test_after_a_reset_no_webhook_is_on_its_way(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.may_answer.clear()
    sandbox.send()
    receiver.arrived.wait(PATIENCE_S)
    answering = Timer(1.0, receiver.may_answer.set)
    answering.start()
    sandbox.post("/_sandbox/reset")
    came = len(receiver.hooks)
    answering.join()
    assert never(lambda: len(receiver.hooks) > came, 0.5)


def test_the_sandbox_is_healthy(sandbox: Sandbox) -> None:
    status, health = sandbox.request("GET", "/_sandbox/health")
    assert (status, health["ok"], abs(health["at"] - time.time()) < 60) == (200, True, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/_sandbox/nothing", 404), ("POST", "/_sandbox", 405), ("DELETE", "/_sandbox/ledger", 405)],
)
def test_unknown_control_paths_and_methods_are_json_errors(
    sandbox: Sandbox, method: str, path: str, status: int
) -> None:
    answered, body = sandbox.request(method, path)
    assert answered == status
    assert set(body) == {"error"}


def test_the_first_page_says_what_this_is(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=PATIENCE_S)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "text/plain; charset=UTF-8"
    assert b"simulator of Meta's WhatsApp Cloud API" in response.read()
    connection.close()


def test_many_requests_stay_open_at_once(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"answer_ms": [300, 300], "throughput": 0, "pair_limit": False})
    connections = [sandbox.send_without_waiting() for _ in range(300)]
    assert {connection.getresponse().status for connection in connections} == {200}
    for connection in connections:
        connection.close()
    assert sandbox.ledger("?count_only=1") == {"count": 300}
