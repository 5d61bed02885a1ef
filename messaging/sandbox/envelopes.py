"""The JSON of webhooks, as of Graph API v24 and later: the envelope, statuses and what users write.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from . import graph_errors
from .ledger import Entry
from .settings import Identity
from .users import User

JSON = dict[str, Any]
# Outside of them (``read``) Meta repeats no pricing.
_PRICED_STATUSES = frozenset({"sent", "delivered"})


def status_envelope(identity: Identity, entry: Entry, status: str, at: float) -> JSON:
    """The webhook of one status. ``conversation`` is absent: v24 gives it only in a free entry point window."""
    user = entry.message.recipient
    node: JSON = {"id": entry.wamid, "status": status, "timestamp": str(int(at))}
    if user.wa_id:
        node["recipient_id"] = user.wa_id
    node["recipient_user_id"] = user.user_id
    if entry.message.callback_data is not None:
        node["biz_opaque_callback_data"] = entry.message.callback_data
    if status in _PRICED_STATUSES:
        node["pricing"] = _pricing(entry.message.type)
    return _envelope(identity, entry.phone_number_id, {"contacts": [_contact(user)], "statuses": [node]})


def failed_envelope(identity: Identity, entry: Entry, code: int, at: float) -> JSON:
    """The webhook of a message that failed. Sent to a phone number it has no user id, and never contacts."""
    user = entry.message.recipient
    error = graph_errors.of_code(code, HTTPStatus.BAD_REQUEST).as_json()["error"]
    node: JSON = {
        "id": entry.wamid,
        "status": "failed",
        "timestamp": str(int(at)),
        **({"recipient_id": user.wa_id} if user.wa_id else {"recipient_user_id": user.user_id}),
        "errors": [
            {
                "code": code,
                "title": error["message"],
                "message": error["message"],
                "error_data": {"details": error["error_data"]["details"]},
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }
        ],
    }
    if entry.message.callback_data is not None:
        node["biz_opaque_callback_data"] = entry.message.callback_data
    return _envelope(identity, entry.phone_number_id, {"statuses": [node]})


def inbound_envelope(identity: Identity, user: User, name: str, message: JSON) -> JSON:
    """The webhook of one message from a user; ``message`` has its id, timestamp, type and node."""
    sender: JSON = {"from": user.wa_id} if user.wa_id else {}
    value: JSON = {"messages": [{**sender, "from_user_id": user.user_id, **message}]}
    # System messages are about a user, not from one: Meta sends no contacts with them.
    if message["type"] != "system":
        value = {"contacts": [{"profile": {"name": name}, **_contact(user)}], **value}
    return _envelope(identity, identity.phone_number_id, value)


def preference_envelope(identity: Identity, user: User, name: str, marketing: str, at: float) -> JSON:
    """The webhook of a user who stopped or resumed marketing messages in WhatsApp itself."""
    said: JSON = {
        **_contact(user),
        "detail": f"User requested to {marketing} marketing messages",
        "category": "marketing_messages",
        "value": marketing,
        "timestamp": int(at),
    }
    value = {"contacts": [{"profile": {"name": name}, **_contact(user)}], "user_preferences": [said]}
    return _envelope(identity, identity.phone_number_id, value, "user_preferences")


def _envelope(identity: Identity, phone_number_id: str, value: JSON, field: str = "messages") -> JSON:
    metadata = {"display_phone_number": identity.display_phone_number, "phone_number_id": phone_number_id}
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata, **value}, "field": field}
    return {"object": "whatsapp_business_account", "entry": [{"id": identity.waba_id, "changes": [change]}]}


def _contact(user: User) -> JSON:
    known: JSON = {"wa_id": user.wa_id} if user.wa_id else {}
    return {**known, "user_id": user.user_id}


def _pricing(message_type: str) -> JSON:
    """Templates count as utility; the rest as service messages inside the monthly free tier."""
    if message_type == "template":
        return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
    return {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
