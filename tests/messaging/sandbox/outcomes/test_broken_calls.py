"""Faults as a client of the sandbox meets them."""

from __future__ import annotations

import http.client

import pytest

from tests.waiting import eventually

from ..process import NUMBER, OTHER_NUMBER, Sandbox, text_message
from ..receiver import Receiver

PATH = f"/v25.0/{NUMBER}/messages"


def fault(sandbox: Sandbox, **given: object) -> int:
    number: int = sandbox.post("/_sandbox/faults", given)["id"]
    return number


def count(sandbox: Sandbox) -> int:
    number: int = sandbox.ledger("?count_only=1")["count"]
    return number


@pytest.mark.parametrize(("outcome", "status", "taken"), [
    ({"error": 131056}, 429, 0),
    ({"error": 131056, "status": 400}, 400, 0),
    ({"status": 503, "after_accept": True}, 503, 1),
])  # fmt: skip
def test_a_refusal_has_metas_shape(sandbox: Sandbox, outcome: dict[str, object], status: int, taken: int) -> None:
    fault(sandbox, outcome=outcome)
    answered, body = sandbox.request("POST", PATH, text_message())
    code = outcome.get("error", 131000)
    assert (answered, body["error"]["code"]) == (status, code)
    assert body["error"]["message"].startswith(f"(#{code}) ")
    assert count(sandbox) == taken


@pytest.mark.parametrize(("moment", "taken"), [("before_accept", 0), ("after_accept", 1)])
def test_a_dropped_connection_has_no_answer(sandbox: Sandbox, moment: str, taken: int) -> None:
    fault(sandbox, outcome={"drop": moment})
    with pytest.raises(http.client.RemoteDisconnected):
        sandbox.request("POST", PATH, text_message())
    assert count(sandbox) == taken


@pytest.mark.parametrize(("moment", "taken"), [("before_accept", 0), ("after_accept", 1)])
def test_a_hanging_call_is_not_answered(sandbox: Sandbox, moment: str, taken: int) -> None:
    fault(sandbox, outcome={"hang": moment})
    connection = sandbox.send_without_waiting()
    assert eventually(lambda: sandbox.request("GET", "/_sandbox/faults")[1]["faults"][0]["hits"] == 1)
    assert connection.sock
    connection.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert count(sandbox) == taken


def test_a_slow_call_is_answered_late(sandbox: Sandbox) -> None:
    fault(sandbox, outcome={"slow": 120})
    sandbox.send()
    [entry] = sandbox.ledger()["messages"]
    assert entry["accepted_at"] - entry["received_at"] >= 0.12


def test_a_message_can_fail_after_it_was_taken(sandbox: Sandbox, receiver: Receiver) -> None:
    wamid = sandbox.send(to="15558131026", biz_opaque_callback_data="our-id")
    [hook] = receiver.wait_for(1, lambda hook: hook.status.get("status") == "failed")
    status = hook.status
    assert (status["id"], status["recipient_id"]) == (wamid, "15558131026")
    assert (status["errors"][0]["code"], status["biz_opaque_callback_data"]) == (131026, "our-id")
    assert "contacts" not in hook.value
    assert [report["status"] for report in sandbox.ledger()["messages"][0]["statuses"]] == ["failed"]


def test_a_silent_message_has_no_status(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.send(to="15557000009")
    wamid = sandbox.send()
    hooks = receiver.wait_for(3, lambda hook: "statuses" in hook.value)
    assert {hook.status["id"] for hook in hooks} == {wamid}


def test_faults_are_listed_with_what_they_hit(sandbox: Sandbox) -> None:
    number = fault(sandbox, phone_number_id=NUMBER, trigger={"next": 1}, outcome={"error": 4})
    fault(sandbox, phone_number_id=OTHER_NUMBER, outcome={"error": 4})
    sandbox.request("POST", PATH, text_message())
    sandbox.send()
    first, second = sandbox.request("GET", "/_sandbox/faults")[1]["faults"]
    assert first == {
        "id": number,
        "phone_number_id": NUMBER,
        "trigger": {"next": 1},
        "outcome": {"error": 4},
        "seen": 2,
        "hits": 1,
    }
    assert (second["seen"], second["hits"]) == (0, 0)


def test_faults_are_removed_one_by_one_or_all(sandbox: Sandbox) -> None:
    numbers = [fault(sandbox, outcome={"error": 4}) for _ in range(3)]
    path = f"/_sandbox/faults/{numbers[0]}"
    assert [sandbox.request("DELETE", path)[0] for _ in range(2)] == [200, 404]
    assert len(sandbox.request("GET", "/_sandbox/faults")[1]["faults"]) == 2
    assert sandbox.request("DELETE", "/_sandbox/faults") == (200, {"faults": []})
    assert sandbox.request("GET", "/_sandbox/faults") == (200, {"faults": []})


def test_a_bad_fault_names_the_field_and_adds_none(sandbox: Sandbox) -> None:
    status, body = sandbox.request("POST", "/_sandbox/faults", {"outcome": {"hang": "soon"}})
    assert (status, body["field"]) == (400, "outcome.hang")
    assert sandbox.request("GET", "/_sandbox/faults") == (200, {"faults": []})


def test_metas_limits_refuse(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"throughput": 1, "throttle_status": 400})
    sandbox.send()
    status, body = sandbox.request("POST", PATH, text_message())
    assert (status, body["error"]["code"]) == (400, 130429)


def test_a_closed_window_refuses_until_the_user_writes(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"window": "refuse"})
    assert sandbox.request("POST", PATH, text_message())[1]["error"]["code"] == 131047
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    assert sandbox.send()
