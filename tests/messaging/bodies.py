"""Webhook bodies as Meta sends them."""

from typing import Any

from tests.environment import PHONE_NUMBER_ID


def inbound_text(
    wamid: str = "wamid.IN1", text: str = "hello", sender: str = "15551230001", at: int = 1_790_000_000
) -> dict[str, Any]:
    """One element of `messages`."""
    return {"from": sender, "id": wamid, "timestamp": str(at), "type": "text", "text": {"body": text}}


def status(
    state: str, wamid: str = "wamid.OUT1", callback: str = "", at: int = 1_790_000_000, **more: Any
) -> dict[str, Any]:
    """One element of `statuses`."""
    update = {"id": wamid, "status": state, "timestamp": str(at), "recipient_id": "15551230001", **more}
    return {**update, "biz_opaque_callback_data": callback} if callback else update


def webhook(*messages: dict[str, Any], statuses: tuple[dict[str, Any], ...] = (), name: str = "Ann") -> dict[str, Any]:
    """A whole body."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID},
    }
    if messages:
        senders = {message["from"] for message in messages}
        value["contacts"] = [{"profile": {"name": name}, "wa_id": sender} for sender in sorted(senders)]
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}
