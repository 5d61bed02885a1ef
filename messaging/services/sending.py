"""Sending from Python: what one's own Django code calls."""

from collections.abc import Sequence
from uuid import UUID

from asgiref.sync import sync_to_async

from messaging.models import Priority
from messaging.phone_numbers import parse
from messaging.services.acceptance import NewMessage, accept
from messaging.services.senders import number_to_send_from
from messaging.services.windows import WindowClosed, WindowPolicy, outside_window, window_policy
from messaging.whatsapp import outbound


def send_text_message(
    phone_number: str, text: str, *, priority: str = "normal", sender: str | None = None, preview_url: bool = False
) -> UUID:
    """Accept a text message and return its id; the dispatcher sends it.

    `phone_number` in international form, `priority` high, normal or low, `sender` Meta's id of the number to send
    from. Raises InvalidPhoneNumber, InvalidContent, UnknownNumber, WindowClosed (with WA_WINDOW_POLICY=reject), or
    ValueError for another priority.
    """
    return _send(phone_number, "text", {"content": text, "preview_url": preview_url}, priority, sender)


def send_template_message(
    phone_number: str,
    name: str,
    language: str,
    *,
    components: Sequence[object] = (),
    priority: str = "normal",
    sender: str | None = None,
) -> UUID:
    """Accept a template message and return its id; `components` as the Cloud API takes them. Raises as above."""
    data: dict[str, object] = {"name": name, "language": language, "components": list(components)}
    return _send(phone_number, "template", data, priority, sender)


def _send(phone_number: str, message_type: str, data: dict[str, object], priority: str, sender: str | None) -> UUID:
    names = {member.name.lower(): member for member in Priority}
    if priority not in names:
        raise ValueError(f"priority is {priority!r}; it is one of {', '.join(names)}.")
    new = NewMessage(
        peer=parse(phone_number).digits,
        type=message_type,
        content=outbound.validate(message_type, data),
        number=number_to_send_from(sender),
        priority=names[priority],
    )
    if window_policy() is WindowPolicy.REJECT and any(outside_window([new])):
        raise WindowClosed
    return accept([new])[0].id


asend_text_message = sync_to_async(send_text_message)
asend_template_message = sync_to_async(send_template_message)
