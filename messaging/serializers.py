"""What the API gives of messages, and takes beside sends (send_serializers.py)."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.media_states import states
from messaging.models import PRIORITY_NAMES, Attempt, Message, MessageEvent
from messaging.services.media import media_of
from messaging.states import Status
from messaging.strict_fields import refuse_unknown
from messaging.timeline import timeline


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
        if isinstance(data, dict):
            refuse_unknown(data, self.fields)
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
