"""Request and response fields of a send."""

import threading
from collections.abc import Collection, Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from messaging.accepting.accept import CAMPAIGN_LENGTH, REFERENCE_LENGTH, NewMessage
from messaging.accepting.business_numbers import UnknownNumber
from messaging.accepting.send_times import MAX_AHEAD, InvalidTime, check_times
from messaging.contacts import InvalidPhoneNumber, recipient
from messaging.models import PRIORITIES, BusinessNumber, OnUnknown
from messaging.models.messages import PEER_LENGTH, WAMID_LENGTH, on_unknown_choices
from messaging.whatsapp import outbound
from messaging.whatsapp.outbound.interactive import KINDS as INTERACTIVE_KINDS
from waproject.web.strict_fields import ChoiceField, StrictDateTimeField, StringField, strict_internal_value

MAX_BULK = 1000
MESSAGE_DATA_HELP = """\
What the type needs, as Meta's node of the type has it, but for text and contacts:

- text: `{"content": "…", "preview_url": false}`
- image, video, audio, document, sticker: `{"link": "https://…"}` or `{"id": "…"}`; `caption` (image, video, document),
  `filename` (document), `voice` (audio)
- location: `{"latitude", "longitude", "name", "address"}`
- contacts: `{"contacts": [{"name": {"formatted_name": "…"}, "phones": […], …}]}`
- reaction: `{"message_id": "…", "emoji": "👍"}`; our id or a wamid; an empty emoji takes it away
- interactive: `{"type", "body": {"text"}, "action", "header", "footer"}`; the types: KINDS
- template: `{"name", "language", "components"}`
""".replace("KINDS", ", ".join(INTERACTIVE_KINDS))


class SendSerializer(serializers.Serializer[Any]):
    """One message to send. `run_validation` gives {"new": NewMessage, "warnings": [str]}.

    Its fields cost more to make than to use, so a thread keeps one (`kept`) for all bodies that it ever validates.
    """

    _kept = threading.local()
    _numbers: Mapping[str | None, BusinessNumber] = {}
    _known: Collection[str] = ()

    @classmethod
    def kept(cls, numbers: Mapping[str | None, BusinessNumber], known: Collection[str] = ()) -> "SendSerializer":
        """The calling thread's, until its next call; `numbers` are the senders that bodies may name (None: default),
        `known` the recipients that exist whatever their numbering plan says.
        """
        serializer: SendSerializer | None = getattr(cls._kept, "serializer", None)
        if serializer is None:
            serializer = cls._kept.serializer = cls()
        serializer._numbers, serializer._known = numbers, known
        return serializer

    phone_number = StringField(
        max_length=PEER_LENGTH,
        help_text="In international form: +15551234567; or a business-scoped user id: US.13491208655302741918.",
    )
    message_type = ChoiceField(choices=outbound.MESSAGE_TYPES)
    message_data = serializers.JSONField(help_text=MESSAGE_DATA_HELP)
    priority = ChoiceField(choices=list(PRIORITIES), default="normal")
    sender = StringField(
        max_length=32, required=False, help_text="Meta's id of the business number to send from; else the default one."
    )
    reference = StringField(
        max_length=REFERENCE_LENGTH, default="", help_text="Your own: messages can be found by it. Need not be unique."
    )
    campaign = StringField(
        max_length=CAMPAIGN_LENGTH, default="", help_text="Your own: its messages can be found, held and resumed."
    )
    reply_to = StringField(
        max_length=WAMID_LENGTH,
        default="",
        help_text="The message that is answered, of the same conversation: our id of it, or its wamid.",
    )
    send_at = StrictDateTimeField(
        required=False, help_text=f"Not sent before this time, at most {MAX_AHEAD.days} days ahead. Now, when left out."
    )
    expires_at = StrictDateTimeField(
        required=False, help_text="Not sent after this time: it is `expired` then. Never, when left out."
    )
    on_unknown = ChoiceField(
        choices=on_unknown_choices(),
        default=OnUnknown.WAIT.value,
        help_text=(
            "When Meta's answer is lost. `wait`: until it is known whether it was sent. `resend` after a short time, "
            "where a double does less harm than a delay. `fail` at once: you decide."
        ),
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known."""
        return strict_internal_value(super().to_internal_value, data, self.fields)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check what needs more than one field, and turn the whole into a NewMessage."""
        try:
            content = outbound.validate(attrs["message_type"], attrs["message_data"])
        except outbound.InvalidContent as error:
            raise serializers.ValidationError({error.field: error.message}) from None
        try:
            check_times(attrs.get("send_at"), attrs.get("expires_at"), timezone.now())
        except InvalidTime as error:
            raise serializers.ValidationError({error.field: error.message}) from None
        phone = attrs["phone_number"]
        new = NewMessage(
            peer=phone.digits,
            type=attrs["message_type"],
            content=content,
            number=self._number(attrs.get("sender")),
            priority=PRIORITIES[attrs["priority"]],
            due_at=attrs.get("send_at"),
            expires_at=attrs.get("expires_at"),
            reference=attrs["reference"],
            campaign=attrs["campaign"],
            on_unknown=OnUnknown(attrs["on_unknown"]),
            context_wamid=attrs["reply_to"],
        )
        return {"new": new, "warnings": [phone.warning] if phone.warning else []}

    def validate_phone_number(self, value: str) -> Any:
        """A PhoneNumber, or an error in words."""
        try:
            return recipient(value, self._known)
        except InvalidPhoneNumber as error:
            raise serializers.ValidationError(str(error)) from None

    def _number(self, sender: str | None) -> BusinessNumber:
        number = self._numbers.get(sender)
        if number is None:
            raise serializers.ValidationError({"sender": str(UnknownNumber(sender))})
        return number


class AcceptedSerializer(serializers.Serializer[Any]):
    """The answer to a send."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField(), required=False)


class BulkSerializer(serializers.Serializer[Any]):
    """Up to 1,000 messages; each is a send body."""

    messages = serializers.ListField(child=SendSerializer(), min_length=1, max_length=MAX_BULK)


class BulkItemSerializer(serializers.Serializer[Any]):
    """What became of one item: an id and a status, or its errors."""

    index = serializers.IntegerField()
    id = serializers.UUIDField(required=False)
    status = serializers.CharField(required=False)
    warnings = serializers.ListField(child=serializers.CharField(), required=False)
    errors = serializers.DictField(required=False)  # type: ignore[assignment]


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """The answer to a bulk, one result an item, in their order."""

    results = BulkItemSerializer(many=True)
