"""The account, its numbers, the app and the token, as the Graph API shows them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ..process import NUMBER, OTHER_NUMBER, TOKEN, Sandbox, text_message
from .calls import APP, APP_TOKEN, NUMBERS, WABA, call, get, refusal


def set_account(sandbox: Sandbox, **changes: object) -> Any:
    return sandbox.post("/_sandbox/account", changes)


@pytest.mark.parametrize(
    ("node", "keys"),
    [
        (WABA, ["id", "message_template_namespace", "name", "timezone_id"]),
        (APP, ["id", "link", "name"]),
        (
            NUMBER,
            [
                *("code_verification_status", "display_phone_number", "id", "platform_type", "quality_rating"),
                *("throughput", "verified_name"),
            ],
        ),
    ],
)
def test_a_node_has_its_default_fields(sandbox: Sandbox, node: str, keys: list[str]) -> None:
    answer = get(sandbox, node)
    assert (sorted(answer), answer["id"]) == (keys, node)


@pytest.mark.parametrize(
    ("node", "asked", "expected"),
    [
        (WABA, "currency,account_review_status", {"id": WABA, "currency": "USD", "account_review_status": "APPROVED"}),
        (WABA, "owner_business_info{id},country", None),
        (NUMBER, "quality_rating", {"id": NUMBER, "quality_rating": "GREEN"}),
        (NUMBER, "status,account_mode", {"id": NUMBER, "status": "CONNECTED", "account_mode": "LIVE"}),
        (NUMBER, "throughput{level}", {"id": NUMBER, "throughput": {"level": "STANDARD"}}),
        (NUMBER, " display_phone_number ", {"id": NUMBER, "display_phone_number": "+15550783881"}),
    ],
)
def test_a_node_has_the_fields_that_are_asked_for(
    sandbox: Sandbox, node: str, asked: str, expected: dict[str, Any] | None
) -> None:
    answer = get(sandbox, node, fields=asked)
    assert answer == expected or (expected is None and sorted(answer) == ["country", "id", "owner_business_info"])


@pytest.mark.parametrize(
    ("changes", "number", "status"),
    [
        ({"account": {"account_review_status": "REJECTED"}}, NUMBER, 403),
        ({"account": {"account_review_status": "PENDING"}}, NUMBER, 200),
        ({"numbers": {NUMBER: {"status": "BANNED"}}}, NUMBER, 403),
        ({"numbers": {NUMBER: {"status": "BANNED"}}}, OTHER_NUMBER, 200),
    ],
)
def test_a_rejected_account_or_a_banned_number_sends_nothing(
    sandbox: Sandbox, changes: dict[str, object], number: str, status: int
) -> None:
    set_account(sandbox, **changes)
    answer = sandbox.request("POST", f"/v25.0/{number}/messages", text_message())
    assert (answer[0], 0 if status == 200 else refusal(answer)[1]) == (status, 0 if status == 200 else 131031)


@pytest.mark.parametrize("path", [WABA, NUMBER, APP, f"{WABA}/phone_numbers"])
def test_an_unknown_field_is_refused(sandbox: Sandbox, path: str) -> None:
    answer = call(sandbox, "GET", path, fields="id,colour")
    assert refusal(answer) == (400, 100, None)
    assert "(colour)" in answer[1]["error"]["message"]


@pytest.mark.parametrize("path", ["999", "999/phone_numbers", "999/subscribed_apps", "999/message_templates"])
def test_an_unknown_id_is_refused(sandbox: Sandbox, path: str) -> None:
    assert refusal(call(sandbox, "GET", path)) == (400, 100, 33)


def test_an_account_lists_its_numbers(sandbox: Sandbox) -> None:
    answer = get(sandbox, f"{WABA}/phone_numbers", fields="verified_name")
    assert answer["data"] == [{"id": id_, "verified_name": "Sandbox"} for id_ in NUMBERS]


@pytest.mark.parametrize(
    ("setting", "field", "expected"),
    [
        ({"throughput": 1000}, "throughput", {"level": "HIGH"}),
        ({"throughput": 80}, "throughput", {"level": "STANDARD"}),
        ({"messaging_limit": 250}, "whatsapp_business_manager_messaging_limit", "TIER_250"),
        ({"messaging_limit": 2000}, "whatsapp_business_manager_messaging_limit", "TIER_2K"),
        ({"messaging_limit": 100_000}, "whatsapp_business_manager_messaging_limit", "TIER_100K"),
        ({"messaging_limit": 0}, "whatsapp_business_manager_messaging_limit", "TIER_UNLIMITED"),
    ],
)
def test_a_number_shows_the_limits_that_hold(
    sandbox: Sandbox, setting: dict[str, int], field: str, expected: object
) -> None:
    sandbox.post("/_sandbox/settings", setting)
    assert get(sandbox, NUMBER, fields=field)[field] == expected


def test_facts_of_one_number_are_changed_alone(sandbox: Sandbox) -> None:
    set_account(sandbox, numbers={OTHER_NUMBER: {"quality_rating": "RED"}})
    ratings = [get(sandbox, id_, fields="quality_rating")["quality_rating"] for id_ in NUMBERS]
    assert ratings == ["GREEN", "RED"]


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        ({}, []),
        ({"numbers": {NUMBER: {"registered": False}}}, ["PHONE_NUMBER"]),
        ({"numbers": {NUMBER: {"status": "BANNED"}}}, ["PHONE_NUMBER"]),
        ({"account": {"ban_state": "DISABLE"}}, ["WABA"]),
        ({"account": {"account_review_status": "REJECTED"}}, ["WABA"]),
    ],
)
def test_the_health_names_what_stops_messages(sandbox: Sandbox, changes: dict[str, object], blocked: list[str]) -> None:
    set_account(sandbox, **changes)
    health = get(sandbox, NUMBER, fields="health_status")["health_status"]
    assert health["can_send_message"] == ("BLOCKED" if blocked else "AVAILABLE")
    assert [each["entity_type"] for each in health["entities"] if each["can_send_message"] == "BLOCKED"] == blocked


@pytest.mark.parametrize(("ban_state", "status"), [("DISABLE", 403), ("SCHEDULE_FOR_DISABLE", 200), ("REINSTATE", 200)])
def test_a_disabled_account_sends_nothing(sandbox: Sandbox, ban_state: str, status: int) -> None:
    sandbox.post("/_sandbox/account", {"account": {"ban_state": ban_state}})
    answer = sandbox.request("POST", f"/v25.0/{NUMBER}/messages", text_message())
    assert (answer[0], sandbox.ledger()["count"]) == (status, int(status == 200))
    assert status == 200 or refusal(answer)[1] == 131031


@pytest.mark.parametrize("path", [WABA, f"{WABA}/phone_numbers", "debug_token", f"{WABA}/message_templates"])
def test_another_token_is_refused(sandbox: Sandbox, path: str) -> None:
    assert refusal(call(sandbox, "GET", path, token="wrong")) == (401, 190, None)


@pytest.mark.parametrize("facts", [{"is_valid": False}, {"expires_at": 1_600_000_000}])
def test_an_expired_token_is_refused_by_every_endpoint(sandbox: Sandbox, facts: dict[str, object]) -> None:
    set_account(sandbox, token=facts)
    calls = [
        ("GET", WABA, None),
        ("POST", f"{NUMBER}/messages", text_message()),
        ("GET", f"{WABA}/phone_numbers", None),
    ]
    assert {refusal(call(sandbox, *each)) for each in calls} == {(401, 190, 463)}


def test_a_token_that_expires_later_is_taken(sandbox: Sandbox) -> None:
    set_account(sandbox, token={"expires_at": int(time.time()) + 3600})
    assert get(sandbox, WABA)["id"] == WABA


@pytest.mark.parametrize(
    ("scopes", "node", "send"),
    [
        (["whatsapp_business_management", "whatsapp_business_messaging"], 200, 200),
        (["whatsapp_business_messaging"], 403, 200),
        (["whatsapp_business_management"], 200, 403),
    ],
)
def test_each_scope_opens_its_endpoints(sandbox: Sandbox, scopes: list[str], node: int, send: int) -> None:
    set_account(sandbox, token={"scopes": scopes})
    statuses = call(sandbox, "GET", WABA)[0], call(sandbox, "POST", f"{NUMBER}/messages", text_message())[0]
    assert statuses == (node, send)


def test_the_token_describes_itself(sandbox: Sandbox) -> None:
    data = get(sandbox, "debug_token", input_token=TOKEN)["data"]
    assert (data["app_id"], data["is_valid"], data["expires_at"]) == (APP, True, 0)
    assert data["scopes"] == ["whatsapp_business_management", "whatsapp_business_messaging"]


def test_an_expired_token_still_describes_itself(sandbox: Sandbox) -> None:
    set_account(sandbox, token={"is_valid": False})
    data = get(sandbox, "debug_token", input_token=TOKEN)["data"]
    assert (data["is_valid"], data["error"]["subcode"]) == (False, 463)


def test_another_token_is_described_as_invalid(sandbox: Sandbox) -> None:
    status, answer = call(sandbox, "GET", "debug_token", token=APP_TOKEN, input_token="EAAG")
    assert (status, answer["data"]["is_valid"], answer["data"]["error"]["code"]) == (200, False, 190)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"account": []}, "account"),
        ({"account": {"colour": 1}}, "account.colour"),
        ({"account": {"name": 1}}, "account.name"),
        ({"token": {"is_valid": 1}}, "token.is_valid"),
        ({"token": {"scopes": "all"}}, "token.scopes"),
        ({"token": {"expires_at": True}}, "token.expires_at"),
        ({"numbers": {"1": {}}}, "numbers"),
        ({"numbers": {NUMBER: {"pin": 1}}}, f"numbers.{NUMBER}.pin"),
        ({"subscribed": "no"}, "subscribed"),
    ],
)
def test_bad_facts_name_the_field_and_change_nothing(sandbox: Sandbox, changes: dict[str, Any], field: str) -> None:
    before = sandbox.request("GET", "/_sandbox/account")[1]
    status, answer = sandbox.request("POST", "/_sandbox/account", {"subscribed": False, **changes})
    assert (status, answer["field"]) == (400, field)
    assert sandbox.request("GET", "/_sandbox/account")[1] == before


def test_a_reset_restores_the_facts(sandbox: Sandbox) -> None:
    before = sandbox.request("GET", "/_sandbox/account")[1]
    set_account(sandbox, subscribed=False, token={"is_valid": False}, numbers={NUMBER: {"registered": False}})
    sandbox.post("/_sandbox/reset")
    assert sandbox.request("GET", "/_sandbox/account")[1] == before
