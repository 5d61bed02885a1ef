"""Meta's checks of the form of a send: from JSON to an OutboundMessage or a GraphError."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..graph_errors import bad_value, invalid_parameter, missing_parameter
from ..users.user import User, is_user_id, phone_digits, user_with_phone
from . import MESSAGE_TYPES, check_node
from .cards import check_wamid
from .params import Param

MAX_CALLBACK_DATA = 512
_ENVELOPE = frozenset(
    {
        "biz_opaque_callback_data",
        "context",
        "messaging_product",
        "recipient",
        "recipient_identity_key_hash",
        "recipient_type",
        "to",
        "type",
    }
)
# Keys that only the Marketing Messages API has.
_MARKETING = frozenset({"message_activity_sharing", "product_policy"})
_READ_RECEIPT = frozenset({"messaging_product", "status", "message_id", "typing_indicator"})


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A send that has passed the checks of its form. ``recipient_input`` is the recipient as the client wrote it."""

    recipient: User
    recipient_input: str
    type: str
    callback_data: str | None
    body: dict[str, Any]
    # Whether it came to the Marketing Messages API.
    marketing: bool = False


def check_product(body: object) -> dict[str, Any]:
    """The body, if it is an object for WhatsApp. To Meta a body that is not JSON has no parameters."""
    if not isinstance(body, dict) or "messaging_product" not in body:
        raise invalid_parameter("The parameter messaging_product is required.")
    if body["messaging_product"] != "whatsapp":
        raise invalid_parameter("Param messaging_product must be one of {WHATSAPP}")
    return body


def check_send(body: dict[str, Any], *, marketing: bool = False) -> OutboundMessage:
    """The message in a body that passed check_product. Raises GraphError with the first fault found.

    ``marketing``: it came to the Marketing Messages API, which has a few keys more.
    """
    # The sandbox has no groups, so the id of one can never be right.
    if body.get("recipient_type", "individual") != "individual":
        raise invalid_parameter("Param recipient_type must be one of {INDIVIDUAL}")
    recipient, recipient_input = _recipient(body)
    message_type = body.get("type", "text")
    if not isinstance(message_type, str) or message_type not in MESSAGE_TYPES:
        raise invalid_parameter("Param type must be one of {" + ", ".join(sorted(MESSAGE_TYPES)).upper() + "}")
    # Meta looks only into the node of the message's type; those of other types may be there.
    _check_keys(body, _ENVELOPE | MESSAGE_TYPES | (_MARKETING if marketing else frozenset()))
    _check_marketing_keys(body)
    node = body.get(message_type)
    if node is None:
        raise missing_parameter(f"Parameter '{message_type}' is mandatory for type '{message_type}'")
    check_node(message_type, Param(node, message_type))
    _check_context(body)
    _check_identity_hash(body)
    return OutboundMessage(recipient, recipient_input, message_type, _callback_data(body), body, marketing)


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
    _check_keys(body, _READ_RECEIPT)
    return wamid


def _check_keys(body: dict[str, Any], known: frozenset[str]) -> None:
    unknown = [key for key, value in body.items() if key not in known and value is not None]
    if unknown:
        raise invalid_parameter(f'Unexpected key "{unknown[0][:64]}" on the message.')


def _check_marketing_keys(body: dict[str, Any]) -> None:
    if body.get("message_activity_sharing") is not None:
        Param(body["message_activity_sharing"], "message_activity_sharing").flag()
    if body.get("product_policy") is not None:
        Param(body["product_policy"], "product_policy").one_of("CLOUD_API_FALLBACK", "STRICT")


def _check_context(body: dict[str, Any]) -> None:
    if body.get("context") is not None:
        context = Param(body["context"], "context").check_object("message_id")
        check_wamid(context.need("message_id"))


def _check_identity_hash(body: dict[str, Any]) -> None:
    if body.get("recipient_identity_key_hash") is not None:
        Param(body["recipient_identity_key_hash"], "recipient_identity_key_hash").text()


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
