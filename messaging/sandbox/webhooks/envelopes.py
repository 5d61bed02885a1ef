"""The JSON of webhooks, as of Graph API v24 and later: the envelope, statuses and what users write.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from typing import Any

from ..error_codes import title_of
from ..ledger import Entry
from ..pricing import Price
from ..settings import Identity
from ..templates.store import Template
from ..users.user import User

JSON = dict[str, Any]


def status_envelope(identity: Identity, entry: Entry, status: str, at: float) -> JSON:
    """The webhook of one status. Since v24 it has a ``conversation`` only in a free entry point."""
    user = entry.message.recipient
    node: JSON = {"id": entry.wamid, "status": status, "timestamp": str(int(at))}
    if user.wa_id:
        node["recipient_id"] = user.wa_id
    node["recipient_user_id"] = user.user_id
    if entry.message.callback_data is not None:
        node["biz_opaque_callback_data"] = entry.message.callback_data
    # Meta repeats the price on one of delivered and read.
    if status in {"sent", "delivered"} or (status == "read" and entry.delivered_is_left_out):
        node |= _priced(entry.price, status)
    return _envelope(identity, entry.phone_number_id, {"contacts": [_contact(user)], "statuses": [node]})


def failed_envelope(identity: Identity, entry: Entry, code: int, at: float) -> JSON:
    """The webhook of a message that failed. Sent to a phone number it has no user id, and never contacts."""
    user = entry.message.recipient
    title = title_of(code)
    node: JSON = {
        "id": entry.wamid,
        "status": "failed",
        "timestamp": str(int(at)),
        **({"recipient_id": user.wa_id} if user.wa_id else {"recipient_user_id": user.user_id}),
        "errors": [
            {
                "code": code,
                "title": title,
                "message": title,
                "error_data": {"details": title},
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


def template_status_envelope(identity: Identity, template: Template, at: float, event: str = "") -> JSON:
    """The webhook of a template's new status, or of another ``event``; it is about the account, not a number."""
    value: JSON = {
        "event": event or str(template.status),
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": str(template.category),
        "reason": "INVALID_FORMAT" if template.status == "REJECTED" else "NONE",
    }
    return account_envelope(identity, "message_template_status_update", value, at)


def account_envelope(identity: Identity, field: str, value: JSON, at: float) -> JSON:
    """The webhook of a field that is about the account: its entry has a time, its value no metadata."""
    entry = {"id": identity.waba_id, "time": int(at), "changes": [{"value": value, "field": field}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def _envelope(identity: Identity, phone_number_id: str, value: JSON, field: str = "messages") -> JSON:
    metadata = {"display_phone_number": identity.display_phone_number, "phone_number_id": phone_number_id}
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata, **value}, "field": field}
    return {"object": "whatsapp_business_account", "entry": [{"id": identity.waba_id, "changes": [change]}]}


def _contact(user: User) -> JSON:
    known: JSON = {"wa_id": user.wa_id} if user.wa_id else {}
    return {**known, "user_id": user.user_id}


def _priced(price: Price, status: str) -> JSON:
    if price.conversation is None:
        return {"pricing": price.as_json()}
    conversation: JSON = {"id": price.conversation.id, "origin": {"type": price.category}}
    if status == "sent":
        conversation["expiration_timestamp"] = str(int(price.conversation.expires_at))
    return {"pricing": price.as_json(), "conversation": conversation}
