"""Template pacing: which sends Meta holds, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.waiting import eventually, never

from ..process import NUMBER, Sandbox
from ..receiver import Receiver

PATH = f"/v25.0/{NUMBER}/messages"
HELD, ACCEPTED = "held_for_quality_assessment", "accepted"
JSON = dict[str, Any]
# Longer than any test: the hold does not end while the test looks at it.
LONG_MS = 120_000


def pace(sandbox: Sandbox, **pacing: object) -> JSON:
    answer: JSON = sandbox.post("/_sandbox/templates", {"name": "spring_sale", "pacing": pacing})
    return answer


def send(sandbox: Sandbox, name: str = "spring_sale", to: str = "15551230001") -> str:
    """The `message_status` of the answer."""
    node = {"name": name, "language": {"code": "en_US"}}
    body = {"messaging_product": "whatsapp", "to": to, "type": "template", "template": node}
    _, answer = sandbox.request("POST", PATH, body)
    return str(answer["messages"][0]["message_status"])


def statuses(sandbox: Sandbox) -> list[list[str]]:
    return [[each["status"] for each in entry["statuses"]] for entry in sandbox.ledger()["messages"]]


def template(sandbox: Sandbox, name: str = "spring_sale") -> JSON:
    listed = sandbox.request("GET", "/_sandbox/templates")[1]["templates"]
    return next(each for each in listed if each["name"] == name)


def test_sends_beyond_the_threshold_are_held(sandbox: Sandbox) -> None:
    pace(sandbox, after=2, hold_ms=LONG_MS)
    assert [send(sandbox, to=f"1555123000{n}") for n in range(4)] == [ACCEPTED, ACCEPTED, HELD, HELD]


def test_other_templates_are_not_held(sandbox: Sandbox) -> None:
    pace(sandbox, hold_ms=LONG_MS)
    assert send(sandbox, "hello_world") == ACCEPTED


def test_a_held_message_is_in_the_ledger_without_a_status(sandbox: Sandbox) -> None:
    pace(sandbox, hold_ms=LONG_MS)
    send(sandbox)
    assert never(lambda: statuses(sandbox) != [[]], 0.3)


def test_released_messages_get_their_statuses(sandbox: Sandbox) -> None:
    pace(sandbox, hold_ms=300)
    held = [send(sandbox, to=f"1555123000{n}") for n in range(2)]
    assert (held, eventually(lambda: statuses(sandbox) == [["sent", "delivered", "read"]] * 2)) == ([HELD, HELD], True)


def test_pacing_ends_with_its_verdict(sandbox: Sandbox) -> None:
    pace(sandbox, hold_ms=100)
    first = send(sandbox)
    assert eventually(lambda: template(sandbox)["pacing"] is None)
    assert (first, send(sandbox, to="15551230002")) == (HELD, ACCEPTED)


def test_dropped_messages_fail_and_the_template_is_paused(sandbox: Sandbox, receiver: Receiver) -> None:
    pace(sandbox, after=1, hold_ms=300, verdict="drop")
    for n in range(3):
        send(sandbox, to=f"1555123000{n}")
    failed = receiver.wait_for(2, lambda hook: hook.status.get("status") == "failed")
    assert {hook.status["errors"][0]["code"] for hook in failed} == {132015}
    assert eventually(lambda: statuses(sandbox) == [["sent", "delivered", "read"], ["failed"], ["failed"]])
    assert template(sandbox)["status"] == "PAUSED"


def test_the_pause_after_a_drop_comes_by_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    pace(sandbox, hold_ms=100, verdict="drop")
    send(sandbox)
    (hook,) = receiver.wait_for(1, lambda hook: "message_template_id" in hook.value)
    assert (hook.value["event"], hook.value["message_template_name"]) == ("PAUSED", "spring_sale")


def test_no_first_status_overtakes_the_answer_of_a_held_send(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"status_before_answer": 1})
    pace(sandbox, hold_ms=LONG_MS)
    assert (send(sandbox), statuses(sandbox)) == (HELD, [[]])


def test_the_answer_has_all_values_of_the_pacing(sandbox: Sandbox) -> None:
    assert pace(sandbox)["pacing"] == {"after": 0, "hold_ms": 5000, "verdict": "release"}


def test_pacing_can_be_taken_away(sandbox: Sandbox) -> None:
    pace(sandbox, hold_ms=LONG_MS)
    sandbox.post("/_sandbox/templates", {"name": "spring_sale", "pacing": None})
    assert send(sandbox) == ACCEPTED


def test_a_reset_takes_pacing_away(sandbox: Sandbox) -> None:
    pace(sandbox, hold_ms=LONG_MS)
    sandbox.post("/_sandbox/reset")
    assert send(sandbox) == ACCEPTED


@pytest.mark.parametrize(
    ("pacing", "field"),
    [
        ("drop", "pacing"),
        ([], "pacing"),
        ({"until": 1}, "pacing.until"),
        ({"verdict": "DROP"}, "pacing.verdict"),
        ({"verdict": []}, "pacing.verdict"),
        ({"after": -1}, "pacing.after"),
        ({"after": True}, "pacing.after"),
        ({"hold_ms": 120_001}, "pacing.hold_ms"),
        ({"hold_ms": "1"}, "pacing.hold_ms"),
    ],
    ids=str,
)
def test_bad_input_names_the_field_and_changes_nothing(sandbox: Sandbox, pacing: object, field: str) -> None:
    status, answer = sandbox.request("POST", "/_sandbox/templates", {"name": "my_own", "pacing": pacing})
    listed = [each["name"] for each in sandbox.request("GET", "/_sandbox/templates")[1]["templates"]]
    assert (status, answer["field"], "my_own" in listed) == (400, field, False)
