"""Sending from Python: the public functions. Each has an async version with the prefix `a`."""

from messaging.accepting.python_api import (
    asend_message,
    asend_template_message,
    asend_text_message,
    send_message,
    send_template_message,
    send_text_message,
)

__all__ = [
    "asend_message",
    "asend_template_message",
    "asend_text_message",
    "send_message",
    "send_template_message",
    "send_text_message",
]
