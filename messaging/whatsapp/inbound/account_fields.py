"""Webhook fields about the account, its numbers and its templates: a table, and their reader.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messaging.whatsapp.inbound import fields
from messaging.whatsapp.inbound.updates import Event

_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Field:
    """The keys of a field's value that hold the event and its subject."""

    event: str = ""
    subject: str = ""


_TEMPLATE = "message_template_name"
_NUMBER = "display_phone_number"

FIELDS: dict[str, Field] = {
    "message_template_status_update": Field("event", _TEMPLATE),
    "message_template_quality_update": Field("new_quality_score", _TEMPLATE),
    "message_template_components_update": Field("", _TEMPLATE),
    "template_category_update": Field("new_category", _TEMPLATE),
    "account_update": Field("event", "phone_number"),
    "account_alerts": Field("alert_type", "entity_id"),
    "account_review_update": Field("decision"),
    "business_capability_update": Field(),
    "business_status_update": Field("event"),
    "phone_number_quality_update": Field("event", _NUMBER),
    "phone_number_name_update": Field("decision", _NUMBER),
    # Meta's pages spell it both ways.
    "business_username_update": Field("status", _NUMBER),
    "business_username_updates": Field("status", _NUMBER),
    "security": Field("event", _NUMBER),
    "payment_configuration_update": Field("status", "configuration_name"),
}


def read_event(name: str, value: object, raw: object, phone_number_id: str | None) -> Event | None:
    """The event of one change; None for other fields and other shapes."""
    found = FIELDS.get(name)
    if found is None or not isinstance(value, dict) or not value:
        return None
    return Event(name, _word(value, found.event), _word(value, found.subject), phone_number_id, raw)


def error_event(raw: object, phone_number_id: str | None) -> Event | None:
    """An error of the number, not of a message (`value.errors`)."""
    code = fields.text(raw, "code") if isinstance(raw, dict) else None
    return Event("errors", code, _word(raw, "title"), phone_number_id, raw) if code and isinstance(raw, dict) else None


def action_event(raw: object, phone_number_id: str | None) -> Event | None:
    """A user's action outside of the chat, such as a tap on a marketing link (`value.user_actions`)."""
    action = fields.text(raw, "action_type") if isinstance(raw, dict) else None
    if action is None or not isinstance(raw, dict):
        return None
    return Event("user_actions", action, "", phone_number_id, raw, timestamp=fields.timestamp(raw, "timestamp"))


def _word(value: Mapping[str, Any], name: str) -> str:
    return fields.text(value, name, longest=_LONGEST) or "" if name else ""
