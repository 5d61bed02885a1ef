"""Messages as the sandbox has them after its checks."""

from __future__ import annotations

from typing import Any

from messaging.sandbox.checks.send import OutboundMessage, check_send

from .process import text_message

TEMPLATE: dict[str, Any] = {"type": "template", "template": {"name": "hello", "language": {"code": "en_US"}}}


def message(**changes: object) -> OutboundMessage:
    """A text message to 15551230001, but for the changes."""
    return check_send({**text_message(), **changes})
