"""What the Cloud API checks before it accepts a send: pure, from JSON to an OutboundMessage or a GraphError."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .contents import check_content
from .graph_errors import bad_value, invalid_parameter, missing_parameter
from .users import User, is_user_id, phone_digits, user_with_phone

MAX_TEXT = 4096
MAX_CALLBACK_DATA = 512
_TYPES = frozenset(
    {
        "audio",
        "contacts",
        "document",
        "image",
        "interactive",
        "location",
        "pin",
        "reaction",
        "sticker",
        "template",
        "text",
        "video",
    }
)


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A send that has passed all checks. ``recipient_input`` is the recipient as the client wrote it."""

    recipient: User
    recipient_input: str
    type: str
    callback_data: str | None
    body: dict[str, Any]


def check_product(body: object) -> dict[str, Any]:
    """The body, when it is an object for WhatsApp. What is not JSON holds, to Meta, no parameter at all."""
    if not isinstance(body, dict) or "messaging_product" not in body:
        raise invalid_parameter("The parameter messaging_product is required.")
    if body["messaging_product"] != "whatsapp":
        raise invalid_parameter("Param messaging_product must be one of {WHATSAPP}")
    return body


def check_send(body: dict[str, Any]) -> OutboundMessage:
    """The message in a body that passed check_product. Raises GraphError with the first fault found."""
    # The sandbox has no groups, so the id of one can never be right.
    if body.get("recipient_type", "individual") != "individual":
        raise invalid_parameter("Param recipient_type must be one of {INDIVIDUAL}")
    recipient, recipient_input = _recipient(body)
    message_type = body.get("type", "text")
    if not isinstance(message_type, str) or message_type not in _TYPES:
        raise invalid_parameter("Param type must be one of {" + ", ".join(sorted(_TYPES)).upper() + "}")
    _check_node(message_type, body.get(message_type))
    return OutboundMessage(recipient, recipient_input, message_type, _callback_data(body), body)


def read_receipt_wamid(body: dict[str, Any]) -> str:
    """The wamid that a read receipt is about. Raises GraphError."""
    if body["status"] != "read":
        raise invalid_parameter("Param status must be one of {READ}")
    wamid = body.get("message_id")
    if wamid is None:
        raise missing_parameter("Parameter 'message_id' is mandatory for status 'read'")
    if not isinstance(wamid, str):
        raise invalid_parameter("Param message_id must be a string.")
    if body.get("typing_indicator") not in (None, {"type": "text"}):
        raise invalid_parameter("Param typing_indicator['type'] must be one of {TEXT}")
    return wamid


def _recipient(body: dict[str, Any]) -> tuple[User, str]:
    """``to`` (a phone number) wins over ``recipient`` (a user id)."""
    key = "to" if body.get("to") is not None else "recipient"
    value = body.get(key)
    if value is None:
        raise invalid_parameter("The parameter to is required.")
    if not isinstance(value, str):
        raise invalid_parameter(f"Param {key} must be a string.")
    if key == "recipient":
        if not is_user_id(value):
            raise bad_value("Recipient is not a valid business-scoped user ID")
        return User(None, value), value
    digits = phone_digits(value)
    if digits is None:
        raise bad_value("Recipient phone number is not valid")
    return user_with_phone(digits), value


def _callback_data(body: dict[str, Any]) -> str | None:
    value = body.get("biz_opaque_callback_data")
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid_parameter("Param biz_opaque_callback_data must be a string.")
    if len(value) > MAX_CALLBACK_DATA:
        raise invalid_parameter(f"Param biz_opaque_callback_data must be at most {MAX_CALLBACK_DATA} characters long.")
    return value


def _check_node(message_type: str, node: object) -> None:
    if node is None:
        raise missing_parameter(f"Parameter '{message_type}' is mandatory for type '{message_type}'")
    if message_type == "contacts":
        if not isinstance(node, list):
            raise invalid_parameter("Param contacts must be an array.")
    elif not isinstance(node, dict):
        raise invalid_parameter(f"Param {message_type} must be a JSON object.")
    check_own = _NODE_CHECKS.get(message_type)
    if check_own:
        check_own(node)
    else:
        check_content(message_type, node)


def _check_text(node: Any) -> None:
    text = node.get("body")
    if text is None:
        raise missing_parameter("Parameter 'body' is mandatory for type 'text'")
    if not isinstance(text, str):
        raise invalid_parameter("Param text['body'] must be a string.")
    if not text:
        raise invalid_parameter("Param text['body'] must be a non-empty string.")
    if len(text) > MAX_TEXT:
        raise invalid_parameter(f"Param text['body'] must be at most {MAX_TEXT} characters long.")


def _check_template(node: Any) -> None:
    language = node.get("language")
    for name, value in (
        ("template['name']", node.get("name")),
        ("template['language']", language),
        ("template['language']['code']", language.get("code") if isinstance(language, dict) else language),
    ):
        if value is None or value == "":
            raise missing_parameter(f"Parameter {name} is mandatory for type 'template'")
    if not isinstance(language, dict):
        raise invalid_parameter("Param template['language'] must be a JSON object.")
    if not isinstance(node["name"], str) or not isinstance(language["code"], str):
        raise bad_value("Template name and language code must be strings")


_NODE_CHECKS: dict[str, Callable[[Any], None]] = {"text": _check_text, "template": _check_template}
