"""Templates through the Graph API: listed, created, reviewed, edited and deleted."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ..process import NUMBER, Sandbox
from ..receiver import Receiver
from .calls import WABA, call, get, refusal

PATH = f"{WABA}/message_templates"
BODY = {"type": "BODY", "text": "Hi {{1}}, good to see you.", "example": {"body_text": [["Ann"]]}}
NO_EXAMPLE = {"type": "BODY", "text": "{{1}}"}
WELCOME: dict[str, Any] = {"name": "welcome", "language": "en_US", "category": "UTILITY", "components": [BODY]}


def create(sandbox: Sandbox, **changes: object) -> Any:
    status, answer = call(sandbox, "POST", PATH, {**WELCOME, **changes})
    assert status == 200, answer
    return answer


def reviewed(receiver: Receiver, event: str = "APPROVED") -> dict[str, Any]:
    """The value of the webhook with this event."""
    (hook,) = receiver.wait_for(1, lambda hook: hook.value.get("event") == event)
    value: dict[str, Any] = hook.value
    return value


def send(sandbox: Sandbox, name: str = "welcome") -> tuple[int, Any]:
    parameters = [{"type": "text", "text": "Ann"}]
    node = {"name": name, "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": parameters}]}
    body = {"messaging_product": "whatsapp", "to": "15551230001", "type": "template", "template": node}
    return call(sandbox, "POST", f"{NUMBER}/messages", body)


@pytest.fixture(autouse=True)
def quick_reviews(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"template_review_ms": 1})


def test_a_template_is_pending_until_its_review(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"template_verdict": "PENDING"})
    created = create(sandbox)
    assert (created["status"], created["category"]) == ("PENDING", "UTILITY")
    assert refusal(send(sandbox)) == (404, 132001, None)


def test_what_is_never_reviewed_keeps_the_status_that_it_is_given(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"template_verdict": "PENDING", "template_review_ms": 200})
    created = create(sandbox)
    sandbox.post("/_sandbox/templates", {"name": "welcome", "status": "APPROVED"})
    time.sleep(0.5)
    assert get(sandbox, created["id"], fields="status")["status"] == "APPROVED"


def test_an_approved_template_can_be_sent(sandbox: Sandbox, receiver: Receiver) -> None:
    created = create(sandbox)
    value = reviewed(receiver)
    assert (str(value["message_template_id"]), value["message_template_name"]) == (created["id"], "welcome")
    assert send(sandbox)[0] == 200


def test_a_rejected_template_says_why(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"template_verdict": "REJECTED"})
    created = create(sandbox)
    assert reviewed(receiver, "REJECTED")["reason"] == "INVALID_FORMAT"
    assert get(sandbox, created["id"], fields="status,rejected_reason") == {
        "id": created["id"],
        "status": "REJECTED",
        "rejected_reason": "INVALID_FORMAT",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": None}, (400, 100, None)),
        ({"category": "NEWS"}, (400, 100, None)),
        ({"name": "Wel come"}, (400, 100, None)),
        ({"language": "english"}, (400, 100, None)),
        ({"components": "Hi"}, (400, 100, None)),
        ({"components": []}, (400, 100, None)),
        ({"components": [{"type": "BODY", "text": "Hi {{1}}"}]}, (400, 100, 2388043)),
        ({"components": [{"type": "HEADER", "format": "IMAGE"}, BODY]}, (400, 100, 2388043)),
        ({"components": [BODY, {"type": "CAROUSEL", "cards": [{"components": [NO_EXAMPLE]}]}]}, (400, 100, 2388043)),
        ({"components": [{"type": []}]}, (400, 100, None)),
        ({"components": [{"type": "HEADER", "format": {}}]}, (400, 100, None)),
        ({"components": [{"type": "BODY", "text": 5}]}, (400, 100, None)),
        (
            {"components": [{"type": "CAROUSEL", "cards": [{"components": [{"type": "BODY", "text": {}}]}]}]},
            (400, 100, None),
        ),
        ({"name": "hello_world"}, (400, 100, 2388024)),
    ],
)
def test_a_bad_template_is_refused(
    sandbox: Sandbox, changes: dict[str, object], expected: tuple[int, int, int]
) -> None:
    assert refusal(call(sandbox, "POST", PATH, {**WELCOME, **changes})) == expected


def test_an_account_has_250_templates_at_most(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"template_verdict": "PENDING"})
    answers = [call(sandbox, "POST", PATH, {**WELCOME, "name": f"template_{n}"}) for n in range(240)]
    total = len(get(sandbox, PATH, limit=250, fields="id")["data"])
    assert (total, refusal(answers[-1])) == (250, (400, 100, 2388019))


def test_an_edited_template_is_reviewed_again(sandbox: Sandbox, receiver: Receiver) -> None:
    created = create(sandbox)
    reviewed(receiver)
    receiver.clear()
    named = [{"param_name": "name", "example": "Ann"}]
    components = [{"type": "BODY", "text": "Welcome, {{name}}.", "example": {"body_text_named_params": named}}]
    status, answer = call(sandbox, "POST", created["id"], {"components": components})
    assert (status, answer["success"]) == (200, True)
    reviewed(receiver)
    found = get(sandbox, created["id"], fields="components,parameter_format")
    assert (found["components"], found["parameter_format"]) == (components, "NAMED")


@pytest.mark.parametrize(("template_id", "body"), [("999", {"category": "UTILITY"}), (NUMBER, {"category": "UTILITY"})])
def test_only_a_template_is_edited(sandbox: Sandbox, template_id: str, body: object) -> None:
    assert refusal(call(sandbox, "POST", template_id, body)) == (400, 100, 33)


@pytest.mark.parametrize(
    ("status", "changes", "expected"),
    [
        ("APPROVED", {"category": "MARKETING"}, 400),
        ("APPROVED", {"category": "UTILITY", "components": [BODY]}, 200),
        ("REJECTED", {"category": "MARKETING"}, 200),
        ("PAUSED", {"category": "MARKETING"}, 200),
        ("PENDING", {"components": [BODY]}, 400),
        ("DISABLED", {"components": [BODY]}, 400),
    ],
)
def test_a_template_is_edited_in_some_states_and_its_category_not_once_it_is_approved(
    sandbox: Sandbox, status: str, changes: dict[str, object], expected: int
) -> None:
    sandbox.post("/_sandbox/settings", {"template_verdict": "PENDING"})
    created = create(sandbox)
    sandbox.post("/_sandbox/templates", {"name": "welcome", "status": status})
    assert call(sandbox, "POST", created["id"], changes)[0] == expected


def test_a_deleted_template_s_name_is_not_free_in_its_language_yet(sandbox: Sandbox) -> None:
    call(sandbox, "DELETE", PATH, name="order_update")
    again = {**WELCOME, "name": "order_update"}
    assert refusal(call(sandbox, "POST", PATH, again)) == (400, 100, 2388023)
    assert call(sandbox, "POST", PATH, {**again, "language": "de"})[0] == 200


def test_an_edit_of_nothing_is_refused(sandbox: Sandbox) -> None:
    assert refusal(call(sandbox, "POST", create(sandbox)["id"], {})) == (400, 100, None)


def test_a_deleted_template_is_gone_in_all_languages(sandbox: Sandbox, receiver: Receiver) -> None:
    assert call(sandbox, "DELETE", PATH, name="order_update") == (200, {"success": True})
    receiver.wait_for(2, lambda hook: hook.value.get("event") == "DELETED")
    assert get(sandbox, PATH, name="order_update") == {"data": []}


def test_one_language_is_deleted_by_its_id(sandbox: Sandbox) -> None:
    first, second = get(sandbox, PATH, name="order_update", fields="language")["data"]
    call(sandbox, "DELETE", PATH, name="order_update", hsm_id=first["id"])
    assert get(sandbox, PATH, name="order_update", fields="language")["data"] == [second]


@pytest.mark.parametrize(("asked", "subcode"), [({"name": "nothing"}, 2593002), ({}, None)])
def test_a_template_that_is_not_there_cannot_be_deleted(
    sandbox: Sandbox, asked: dict[str, str], subcode: int | None
) -> None:
    assert refusal(call(sandbox, "DELETE", PATH, **asked)) == (400, 100, subcode)


def test_templates_come_in_pages(sandbox: Sandbox) -> None:
    names, asked = [], {"limit": "5", "fields": "name"}
    while asked:
        page = get(sandbox, PATH, **asked)
        names += [each["id"] for each in page["data"]]
        asked = dict(parse_qsl(urlsplit(page["paging"].get("next", "")).query))
    everything = get(sandbox, PATH, limit=250, fields="id")["data"]
    assert names == [each["id"] for each in everything]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"name": "order"}, {"order_ready", "order_update"}),
        ({"category": "AUTHENTICATION"}, {"one_time_code"}),
        ({"language": "en", "category": "MARKETING"}, {"offer"}),
        ({"status": "PAUSED"}, set()),
    ],
)
def test_templates_are_filtered(sandbox: Sandbox, asked: dict[str, str], names: set[str]) -> None:
    assert {each["name"] for each in get(sandbox, PATH, **asked)["data"]} == names


@pytest.mark.parametrize("asked", [{"limit": "0"}, {"limit": "many"}, {"after": "?"}, {"after": "YQ=="}])
def test_a_bad_page_is_refused(sandbox: Sandbox, asked: dict[str, str]) -> None:
    assert refusal(call(sandbox, "GET", PATH, **asked)) == (400, 100, None)
