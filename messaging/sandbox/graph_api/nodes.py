"""Nodes of the Graph API: which fields each has, and which of them an answer holds.

https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..account import PORTFOLIO_ID, AccountState, Number
from ..graph_errors import GraphError
from ..settings import Behaviour, Identity, messaging_tier

JSON = dict[str, Any]
APP_NAME = "Sandbox app"
_NO_SUCH_FIELD = 100
_HIGH_THROUGHPUT = 1000
# What an answer holds where the request names no fields.
ACCOUNT_FIELDS = ("id", "name", "timezone_id", "message_template_namespace")
NUMBER_FIELDS = (
    *("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "platform_type"),
    *("throughput", "id"),
)
APP_FIELDS = ("id", "name", "link")
_SPLIT = re.compile(r",(?![^{(]*[})])")


def requested_fields(given: str) -> list[str]:
    """The names in ``fields=a,b{c,d},e.limit(2)``, without what is asked of the fields themselves."""
    return [re.split(r"[{(.]", part)[0].strip() for part in _SPLIT.split(given) if part.strip()]


def projected(values: Mapping[str, Any], requested: Sequence[str], default: Sequence[str], node_type: str) -> JSON:
    """The answer with the fields that are asked for, and always the id. Raises GraphError for an unknown field."""
    for name in requested:
        if name not in values:
            message = f"(#{_NO_SUCH_FIELD}) Tried accessing nonexisting field ({name[:64]}) on node type ({node_type})"
            raise GraphError(_NO_SUCH_FIELD, message)
    return {name: values[name] for name in (*(requested or default), "id")}


def account_values(state: AccountState) -> JSON:
    """All fields of the WABA."""
    account, identity = state.account, state.identity
    return {
        "id": identity.waba_id,
        "name": account.name,
        "currency": account.currency,
        "timezone_id": account.timezone_id,
        "country": account.country,
        "message_template_namespace": "5a6c1e0f_2b7d_4c39_9e1a_7d0b3f8c2e64",
        "account_review_status": account.account_review_status,
        "business_verification_status": account.business_verification_status,
        "owner_business_info": {"name": account.name, "id": PORTFOLIO_ID},
        "ownership_type": "SELF",
        "status": "ACTIVE" if account.ban_state == "REINSTATE" else "DISABLED",
        "health_status": health_of(state),
    }


def number_values(state: AccountState, phone_number_id: str, behaviour: Behaviour) -> JSON:
    """All fields of a business number."""
    number = state.number(phone_number_id)
    is_high = behaviour.throughput_of(phone_number_id) >= _HIGH_THROUGHPUT
    return {
        "id": phone_number_id,
        "display_phone_number": _displayed(state.identity),
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "code_verification_status": number.code_verification_status,
        "name_status": number.name_status,
        "account_mode": number.account_mode,
        "status": number.status if number.registered else "DISCONNECTED",
        "platform_type": "CLOUD_API" if number.registered else "NOT_APPLICABLE",
        "throughput": {"level": "HIGH" if is_high else "STANDARD"},
        "whatsapp_business_manager_messaging_limit": messaging_tier(behaviour),
        "is_official_business_account": False,
        "is_pin_enabled": bool(number.pin),
        "webhook_configuration": {"application": state.identity.webhook_url},
        "health_status": health_of(state, phone_number_id),
    }


def app_values(identity: Identity) -> JSON:
    """All fields of the app."""
    return {
        "id": identity.app_id,
        "name": APP_NAME,
        "link": "https://www.facebook.com/games/?app_id=" + identity.app_id,
    }


def health_of(state: AccountState, phone_number_id: str | None = None) -> JSON:
    """Whether messages can be sent: of a number, the account, its portfolio and the app, and of all together."""
    identity = state.identity
    entities = [
        _entity("WABA", identity.waba_id, _account_problem(state)),
        _entity("BUSINESS", PORTFOLIO_ID, None),
        _entity("APP", identity.app_id, None),
    ]
    if phone_number_id is not None:
        problem = _number_problem(state.number(phone_number_id))
        entities.insert(0, _entity("PHONE_NUMBER", phone_number_id, problem))
    is_blocked = any(entity["can_send_message"] == "BLOCKED" for entity in entities)
    return {"can_send_message": "BLOCKED" if is_blocked else "AVAILABLE", "entities": entities}


def _entity(kind: str, id_: str, problem: tuple[int, str] | None) -> JSON:
    entity: JSON = {"entity_type": kind, "id": id_, "can_send_message": "BLOCKED" if problem else "AVAILABLE"}
    if problem:
        code, message = problem
        solution = "See the page of the error code."
        entity["errors"] = [{"error_code": code, "error_description": message, "possible_solution": solution}]
    return entity


def _number_problem(number: Number) -> tuple[int, str] | None:
    if number.status == "BANNED":
        return 141006, "The phone number is banned."
    return None if number.registered else (141000, "The phone number is not registered on the Cloud API.")


def _account_problem(state: AccountState) -> tuple[int, str] | None:
    if state.account.ban_state != "REINSTATE":
        return 141006, "The account is disabled."
    return None if state.account.account_review_status == "APPROVED" else (141010, "The account is not approved.")


def _displayed(identity: Identity) -> str:
    """As Meta shows a number: with a plus."""
    return f"+{identity.display_phone_number.removeprefix('+')}"
