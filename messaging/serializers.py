"""What the API takes and gives. Bad input is a 400 that names the field."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.media_states import states
from messaging.models import Attempt, BusinessNumber, Message, MessageEvent, OnUnknown, Priority
from messaging.models.messages import PEER_LENGTH, WAMID_LENGTH, on_unknown_choices
from messaging.phone_numbers import InvalidPhoneNumber
from messaging.services import (
    CAMPAIGN_LENGTH,
    MAX_AHEAD,
    REFERENCE_LENGTH,
    InvalidTime,
    NewMessage,
    UnknownNumber,
    check_times,
    recipient,
)
from messaging.services.media import media_of
from messaging.states import Status
from messaging.timeline import timeline
from messaging.whatsapp import outbound
from messaging.whatsapp.outbound.interactive import KINDS as INTERACTIVE_KINDS

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
PRIORITIES = {member.name.lower(): member for member in Priority}
PRIORITY_NAMES = {member.value: name for name, member in PRIORITIES.items()}


class StringField(serializers.CharField):
    """A JSON string: DRF would take 1.5e10 for a phone number and send to "15000000000.0"."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class SendSerializer(serializers.Serializer[Any]):
    """One message to send; `context["numbers"]` has the senders.

    `run_validation` gives {"new": NewMessage, "warnings": [str]}; one serializer validates any number of bodies, since
    making its fields costs more than using them.
    """

    phone_number = StringField(
        max_length=PEER_LENGTH,
        help_text="In international form: +15551234567; or a business-scoped user id: US.13491208655302741918.",
    )
    message_type = serializers.ChoiceField(choices=outbound.MESSAGE_TYPES)
    message_data = serializers.JSONField(help_text=MESSAGE_DATA_HELP)
    priority = serializers.ChoiceField(choices=list(PRIORITIES), default="normal")
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
    send_at = serializers.DateTimeField(
        required=False, help_text=f"Not sent before this time, at most {MAX_AHEAD.days} days ahead. Now, when left out."
    )
    expires_at = serializers.DateTimeField(
        required=False, help_text="Not sent after this time: it is `expired` then. Never, when left out."
    )
    on_unknown = serializers.ChoiceField(
        choices=on_unknown_choices(),
        default=OnUnknown.WAIT.value,
        help_text=(
            "When Meta's answer is lost. `wait`: until it is known whether it was sent. `resend` after a short time, "
            "where a double does less harm than a delay. `fail` at once: you decide."
        ),
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known: a typing error in `send_at` must not send at once."""
        values = super().to_internal_value(data)
        if unknown := data.keys() - self.fields.keys():
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))
        return values

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
            return recipient(value)
        except InvalidPhoneNumber as error:
            raise serializers.ValidationError(str(error)) from None

    def _number(self, sender: str | None) -> BusinessNumber:
        # The caller looks all senders of a request up at once, and its items share them.
        numbers: dict[str | None, BusinessNumber] = self.context["numbers"]
        number = numbers.get(sender)
        if number is None:
            raise serializers.ValidationError({"sender": str(UnknownNumber(sender))})
        return number


class TimelineEntrySerializer(serializers.ModelSerializer[MessageEvent]):
    """One line of a message's timeline."""

    class Meta:
        model = MessageEvent
        fields = ["status", "at", "recorded_at", "source", "applied", "error_code", "error_title"]


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One call of the Cloud API."""

    class Meta:
        model = Attempt
        fields = ["n", "at", "outcome", "wamid", "error_code", "error_title"]


class MediaSerializer(serializers.Serializer[Any]):
    """The file of a message. `url` is there once it is `stored`; the other states are in docs/media.md."""

    state = serializers.ChoiceField(choices=states())
    mime_type = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="In bytes.")
    filename = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True, help_text="Of what is stored, in hex.")
    url = serializers.URLField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="What came of the last try.")


class UploadSerializer(serializers.Serializer[Any]):
    """A file for messages to come, as a multipart form."""

    file = serializers.FileField(allow_empty_file=True)
    type = serializers.CharField(required=False, max_length=128, help_text="Its MIME type; else that of the part.")
    sender = serializers.CharField(
        required=False, max_length=32, help_text="Meta's id of the business number that will send it; else the default."
    )


class UploadedSerializer(serializers.Serializer[Any]):
    """What to name in a message: `{"id": …}`."""

    id = serializers.CharField(help_text="Meta's; good for this sender alone.")
    kind = serializers.CharField(help_text="The type of message that can carry it.")
    mime_type = serializers.CharField()
    size = serializers.IntegerField()
    expires_at = serializers.DateTimeField(help_text="Meta forgets it then.")


class NoFileSerializer(serializers.Serializer[Any]):
    """Why there is no file."""

    detail = serializers.CharField()
    state = serializers.CharField(required=False)


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message in a list."""

    phone_number = serializers.CharField(source="peer", help_text="The other end: digits, or a user id.")
    sender = serializers.CharField(source="number.phone_number_id", help_text="The business number's id.")
    priority = serializers.SerializerMethodField()
    hold = serializers.SerializerMethodField(
        help_text="Why it waits, beside due_at: pair, campaign, template, unknown, number (it is paused)."
    )

    media = serializers.SerializerMethodField(help_text="The file that came with it, or null.")

    class Meta:
        model = Message
        fields = [
            "id",
            "wamid",
            "direction",
            "status",
            "phone_number",
            "sender",
            "type",
            "content",
            "media",
            "text",
            "context_wamid",
            "priority",
            "reference",
            "campaign",
            "on_unknown",
            "attempts",
            "due_at",
            "expires_at",
            "hold",
            "error_code",
            "error_title",
            "at",
            "created_at",
            "updated_at",
        ]

    def get_priority(self, message: Message) -> str:
        """By name."""
        return PRIORITY_NAMES.get(message.priority, str(message.priority))

    @extend_schema_field(MediaSerializer(allow_null=True))
    def get_media(self, message: Message) -> dict[str, Any] | None:
        """With an address on the host that was asked."""
        request = self.context.get("request")
        return media_of(message, request.build_absolute_uri("/").rstrip("/") if request else settings.BASE_URL)

    def get_hold(self, message: Message) -> str | None:
        """The kind alone: which one is ours to know. A number's pause is not written into its rows."""
        if message.hold:
            return message.hold.partition(":")[0]
        return "number" if message.status == Status.PENDING and message.number.paused_at is not None else None


class MessageDetailSerializer(MessageSerializer):
    """A message with its timeline and the calls that were made for it."""

    timeline = serializers.SerializerMethodField()
    attempt_history = AttemptSerializer(source="attempt_set", many=True)

    class Meta(MessageSerializer.Meta):
        fields = [*MessageSerializer.Meta.fields, "timeline", "attempt_history"]

    @extend_schema_field(TimelineEntrySerializer(many=True))
    def get_timeline(self, message: Message) -> list[Any]:
        """Oldest first."""
        return list(TimelineEntrySerializer(timeline(message), many=True).data)


class AcceptedSerializer(serializers.Serializer[Any]):
    """The answer to a send."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField(), required=False)


class BulkSerializer(serializers.Serializer[Any]):
    """Up to 1,000 messages; each is a send body."""

    messages = SendSerializer(many=True)


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


class NotPossibleSerializer(serializers.Serializer[Any]):
    """Why a message cannot be cancelled or retried, and what can be done."""

    detail = serializers.CharField()
    status = serializers.CharField()


class ReadSerializer(serializers.Serializer[Any]):
    """How a message of a user is marked as read."""

    typing = serializers.BooleanField(
        default=False, help_text="Show the user that an answer is being written: for 25 s, or until it is there."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known, as a send does."""
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))
        return super().to_internal_value(data)


class ReadAnswerSerializer(serializers.Serializer[Any]):
    """WhatsApp has taken it."""

    id = serializers.UUIDField()
    read = serializers.BooleanField()
    typing = serializers.BooleanField()


class CampaignSerializer(serializers.Serializer[Any]):
    """A campaign after it was held or resumed."""

    campaign = serializers.CharField()
    held = serializers.BooleanField()
    waiting = serializers.IntegerField(help_text="Accepted and not yet released.")
    on_their_way = serializers.IntegerField(help_text="Released, outcome not known yet: a hold does not stop these.")
