"""Small webhook bodies, and what is read of them."""

from typing import Any

from messaging.whatsapp.inbound import InboundMessage, StatusUpdate, normalise

ANNA = {"wa_id": "16505551234", "user_id": "US.1", "profile": {"name": "Anna"}}
BEN = {"wa_id": "16505551235", "user_id": "US.2", "profile": {"name": "Ben"}}


def webhook(field: Any = "messages", **value: Any) -> dict[str, Any]:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1", "display_phone_number": "2"}} | value
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "11", "changes": [{"field": field, "value": value}]}],
    }


def message(**parts: Any) -> dict[str, Any]:
    return {"id": "wamid.A", "from": "16505551234", "timestamp": "1749416383", "type": "text"} | parts


def only_message(*contacts: Any, **parts: Any) -> InboundMessage:
    body = webhook(messages=[message(**parts)], contacts=list(contacts))
    found = normalise(body)
    assert (len(found.messages), found.statuses, found.unknown) == (1, (), ())
    return found.messages[0]


def only_status(**parts: Any) -> StatusUpdate:
    found = normalise(webhook(statuses=[{"id": "wamid.A", "status": "sent"} | parts]))
    assert (found.messages, len(found.statuses), found.unknown) == ((), 1, ())
    return found.statuses[0]


def kinds(body: Any) -> list[str]:
    return [unknown.kind for unknown in normalise(body).unknown]
