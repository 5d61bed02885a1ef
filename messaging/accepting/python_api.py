"""Sending from Python, for other Django code in the same project."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from asgiref.sync import sync_to_async
from django.utils import timezone

from messaging.accepting.accept import CAMPAIGN_LENGTH, REFERENCE_LENGTH, NewMessage, accept
from messaging.accepting.recipient_checks import NoConsent, check_recipient
from messaging.accepting.reply_targets import load_reply_targets
from messaging.accepting.send_times import check_times
from messaging.accepting.sending_numbers import sending_number
from messaging.accepting.service_window import WindowClosed, WindowPolicy, window_policy
from messaging.contacts import known_recipient
from messaging.message_templates import check_template
from messaging.models import PRIORITIES, OnUnknown, Priority
from messaging.models.messages import WAMID_LENGTH
from messaging.whatsapp import outbound


class SendOptions(TypedDict, total=False):
    """The optional arguments of a send, beside its content.

    `priority` high, normal (default) or low. `sender` Meta's id of the number to send from, else the default one.
    `reference` (up to 255 characters) and `campaign` (up to 100) are your own labels. `send_at` (up to 30 days ahead)
    and `expires_at` are aware datetimes. `on_unknown` wait (default), resend or fail: what to do when Meta's answer is
    lost. `reply_to` is the id (ours or Meta's) of the message to reply to.
    """

    priority: str
    sender: str
    reference: str
    campaign: str
    send_at: datetime
    expires_at: datetime
    on_unknown: str
    reply_to: str


def send_message(
    phone_number: str, message_type: str, message_data: Mapping[str, object], **options: Unpack[SendOptions]
) -> UUID:
    """Accept a message of any type and return its id; the dispatcher sends it.

    `phone_number` in international form, or a business-scoped user id; `message_data` as POST /messaging/send takes
    it. Raises InvalidPhoneNumber, InvalidContent, InvalidTime, UnknownNumber, NoConsent, WindowClosed (with
    WA_WINDOW_POLICY=reject), or ValueError for another invalid option.
    """
    return _send(phone_number, message_type, message_data, options)


def send_text_message(
    phone_number: str, text: str, *, preview_url: bool = False, **options: Unpack[SendOptions]
) -> UUID:
    """Accept a text message and return its id. Raises as above."""
    return _send(phone_number, "text", {"content": text, "preview_url": preview_url}, options)


def send_template_message(
    phone_number: str,
    name: str,
    language: str,
    *,
    components: Sequence[object] = (),
    **options: Unpack[SendOptions],
) -> UUID:
    """Accept a template message and return its id; `components` as the Cloud API takes them. Raises as above."""
    data: dict[str, object] = {"name": name, "language": language, "components": list(components)}
    return _send(phone_number, "template", data, options)


def _send(phone_number: str, message_type: str, data: Mapping[str, object], options: SendOptions) -> UUID:
    send_at, expires_at = options.get("send_at"), options.get("expires_at")
    check_times(send_at, expires_at, timezone.now())
    new = NewMessage(
        peer=known_recipient(phone_number).digits,
        type=message_type,
        content=outbound.validate(message_type, data),
        number=sending_number(options.get("sender")),
        priority=PRIORITIES[_one_of("priority", options.get("priority", "normal"), PRIORITIES)],
        due_at=send_at,
        expires_at=expires_at,
        reference=_label("reference", options.get("reference", ""), REFERENCE_LENGTH),
        campaign=_label("campaign", options.get("campaign", ""), CAMPAIGN_LENGTH),
        on_unknown=OnUnknown(_one_of("on_unknown", options.get("on_unknown", OnUnknown.WAIT), list(OnUnknown))),
        context_wamid=_label("reply_to", options.get("reply_to", ""), WAMID_LENGTH),
    )
    new = load_reply_targets([new]).resolve(new)
    if new.template:
        check_template(new.number.waba_id, new.content, new.peer)
    check = check_recipient(new, windows=window_policy() is WindowPolicy.REJECT)
    if check.refusal:
        raise NoConsent(check.refusal)
    if check.window_closed:
        raise WindowClosed
    return accept([check.message])[0].id


def _one_of(name: str, value: str, allowed: Sequence[str] | dict[str, Priority]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it is one of {', '.join(allowed)}.")
    return value


def _label(name: str, value: str, max_length: int) -> str:
    # As the API's fields: a campaign is held by its name without spaces around it.
    value = value.strip()
    if len(value) > max_length:
        raise ValueError(f"{name} has {len(value)} characters; the maximum is {max_length}.")
    return value


asend_message = sync_to_async(send_message)
asend_text_message = sync_to_async(send_text_message)
asend_template_message = sync_to_async(send_template_message)
