"""Messages of users: from the JSON of POST /_sandbox/inbound to a sender and a message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..settings import InputError
from .user import User, is_user_id, phone_digits, user_with_phone

DEFAULT_NAME = "Sandbox User"
# Parts of a message beside its own node, passed on as given.
_EXTRAS = ("context", "referral", "errors")


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message without id and time; ``content`` is its type, its node and the parts beside it.

    ``digits`` is the sender's number as it was given, in whatever form; None where it is in normal form.
    """

    user: User
    name: str
    content: dict[str, Any]
    digits: str | None = None

    @property
    def sender(self) -> User:
        """The user in the webhook."""
        return replace(self.user, wa_id=self.digits) if self.digits else self.user


def inbound_message(given: dict[str, Any]) -> InboundMessage:
    """``{"from" and/or "user_id", "name"?, "text" | "type" and the node of that name, "context"?, "referral"?,
    "errors"?}``. Raises InputError.
    """
    name = given.get("name", DEFAULT_NAME)
    if not isinstance(name, str):
        raise InputError("name", "must be a string")
    user = _user(given)
    digits = phone_digits(given.get("from"))
    return InboundMessage(user, name, _content(given), digits if digits != user.wa_id else None)


def _user(given: dict[str, Any]) -> User:
    phone, user_id = given.get("from"), given.get("user_id")
    if user_id is not None and not is_user_id(user_id):
        raise InputError("user_id", "must be a business-scoped user id, such as US.13491208655302741918")
    if phone is None:
        if user_id is None:
            raise InputError("from", "give a phone number here, or a user_id")
        return User(None, user_id)
    digits = phone_digits(phone)
    if digits is None:
        raise InputError("from", "must be a phone number in a string, such as 15551230001")
    return user_with_phone(digits, user_id)


def _content(given: dict[str, Any]) -> dict[str, Any]:
    message_type = given.get("type", "text")
    if not isinstance(message_type, str) or not message_type:
        raise InputError("type", "must be the name of a message type, such as image")
    node = given.get(message_type)
    if message_type == "text" and not isinstance(node, dict):
        if not isinstance(node, str) or not node:
            raise InputError("text", "must be a non-empty string")
        node = {"body": node}
    content: dict[str, Any] = {"type": message_type}
    if node is not None:
        content[message_type] = node
    # Unsupported messages have errors instead of a node.
    if not isinstance(node, dict | list) and "errors" not in given:
        raise InputError(message_type, "must be an object: the node of a message of this type")
    return {**content, **{key: given[key] for key in _EXTRAS if key in given}}
