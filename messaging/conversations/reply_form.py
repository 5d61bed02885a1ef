"""The operator's reply form, and its error messages."""

from collections.abc import Mapping
from typing import Any

from messaging.accepting import TEMPLATE, NoConsent, WindowClosed
from messaging.access import IdempotencyKeyReused
from messaging.conversations.operator_replies import Reply, send_reply
from messaging.conversations.queries import Conversation
from messaging.conversations.template_form import TemplateForm, template_form
from messaging.whatsapp.outbound import InvalidContent
from messaging.whatsapp.template_form import components_with, numbered_body

FORM_ID_LENGTH = 64
FIELDS = {
    "message_data.content": "The text",
    "message_data.name": "The template's name",
    "message_data.language": "The template's language",
}


class ReplyRefused(ValueError):
    """The reply was not sent; the text says why and what to do."""


def send_form_reply(form: Mapping[str, str], conversation: Conversation, account: Any) -> None:
    """Send the reply in a submitted form. Raises ReplyRefused."""
    form_id = form.get("form_id", "")
    if not 1 <= len(form_id) <= FORM_ID_LENGTH or not (form_id.isascii() and form_id.isprintable()):
        raise ReplyRefused("The form was incomplete. Reload the page.")
    chosen = template_form(conversation.number, form) if form.get("kind") == TEMPLATE else None
    kind, data = _data(form, chosen)
    given = Reply(conversation.number, conversation.address, conversation.peers, kind, data, form_id)
    try:
        send_reply(given, account.pk, str(account))
    except InvalidContent as error:
        label = chosen.label_of(error.field) if chosen else ""
        raise ReplyRefused(f"{label or FIELDS.get(error.field, error.field)} {error.message}.") from None
    except WindowClosed:
        raise ReplyRefused(
            "The 24-hour window has closed: WhatsApp accepts only templates now. Your text was not sent."
        ) from None
    except NoConsent as error:
        raise ReplyRefused(f"Not sent: {error}") from None
    except IdempotencyKeyReused:
        raise ReplyRefused("This form was sent before with other content. Reload the page to see it.") from None


def _data(form: Mapping[str, str], chosen: TemplateForm | None) -> tuple[str, dict[str, object]]:
    if form.get("kind") != TEMPLATE:
        return "text", {"content": form.get("text", "").replace("\r\n", "\n").strip()}
    if chosen is not None:
        if chosen.problem:
            raise ReplyRefused(chosen.problem)
        if label := chosen.missing():
            raise ReplyRefused(f"Fill in “{label}”.")
        return TEMPLATE, chosen.data()
    if "template" in form:
        raise ReplyRefused("Choose a template.")
    data: dict[str, object] = {"name": form.get("name", "").strip(), "language": form.get("language", "").strip()}
    if values := [line.strip() for line in form.get("parameters", "").splitlines() if line.strip()]:
        data["components"] = components_with(*numbered_body(values))
    return TEMPLATE, data
