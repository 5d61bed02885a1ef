"""The operator's reply form, and why a reply cannot be sent."""

from collections.abc import Mapping
from typing import Any

from messaging.accepting import NoConsent, WindowClosed
from messaging.access import KeyOfAnotherRequest
from messaging.conversations.operator_replies import Reply, reply
from messaging.conversations.queries import Conversation
from messaging.whatsapp.outbound import InvalidContent

FORM_ID_LENGTH = 64
FIELDS = {
    "message_data.content": "The text",
    "message_data.name": "The template's name",
    "message_data.language": "The template's language",
}


class NotSent(ValueError):
    """Nothing was sent; the text says why and what to do."""


def reply_from(typed: Mapping[str, str], conversation: Conversation, account: Any) -> None:
    """Send what was typed. Raises NotSent."""
    form_id = typed.get("form_id", "")
    if not 1 <= len(form_id) <= FORM_ID_LENGTH or not form_id.isascii():
        raise NotSent("The form was incomplete: load the page anew.")
    kind, data = _data(typed)
    given = Reply(conversation.number, conversation.address, conversation.peers, kind, data, form_id)
    try:
        reply(given, account.pk, str(account))
    except InvalidContent as error:
        raise NotSent(f"{FIELDS.get(error.field, error.field)} {error.message}.") from None
    except WindowClosed:
        raise NotSent(
            "The 24-hour window has closed: WhatsApp takes only templates now. Your text was not sent."
        ) from None
    except NoConsent as error:
        raise NotSent(f"Not sent: {error}") from None
    except KeyOfAnotherRequest:
        raise NotSent("This form was sent before, with other words. Load the page anew and look.") from None


def _data(typed: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    if typed.get("kind") != "template":
        return "text", {"content": typed.get("text", "").replace("\r\n", "\n").strip()}
    data: dict[str, object] = {"name": typed.get("name", "").strip(), "language": typed.get("language", "").strip()}
    values = [line.strip() for line in typed.get("parameters", "").splitlines() if line.strip()]
    if values:
        parameters = [{"type": "text", "text": value} for value in values]
        data["components"] = [{"type": "body", "parameters": parameters}]
    return "template", data
