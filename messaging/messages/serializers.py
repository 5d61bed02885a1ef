"""Response fields of messages."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.media import media_of
from messaging.media.serializers import MediaSerializer
from messaging.messages.timeline import timeline
from messaging.models import PRIORITY_NAMES, Attempt, Message, MessageEvent
from messaging.states import Status

# The hold of a message whose number is paused.
NUMBER = "number"


class PricingSerializer(serializers.Serializer[Any]):
    """Meta's billing of a message, in Meta's terms; null if Meta has not given it."""

    billable = serializers.BooleanField(allow_null=True)
    pricing_model = serializers.CharField(allow_null=True, help_text="PMP: per message.")
    type = serializers.CharField(
        allow_null=True, source="pricing_type", help_text="regular, free_customer_service, free_entry_point, …"
    )
    category = serializers.CharField(
        allow_null=True,
        source="pricing_category",
        help_text="marketing, utility, authentication, authentication_international, service, marketing_lite, …",
    )


def pricing_of(row: Message | MessageEvent) -> dict[str, Any] | None:
    """The `pricing` of a message or of a status; None where Meta has given none."""
    values = (row.billable, row.pricing_model, row.pricing_type, row.pricing_category)
    return None if values == (None, None, None, None) else dict(PricingSerializer(row).data)


class TimelineEntrySerializer(serializers.ModelSerializer[MessageEvent]):
    """One line of a message's timeline."""

    pricing = serializers.SerializerMethodField(help_text="As this status gave it.")

    class Meta:
        model = MessageEvent
        fields = ["status", "at", "recorded_at", "source", "applied", "error_code", "error_title", "pricing"]

    @extend_schema_field(PricingSerializer(allow_null=True))
    def get_pricing(self, event: MessageEvent) -> dict[str, Any] | None:
        """Null for all but some statuses of Meta."""
        return pricing_of(event)


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One call of the Cloud API."""

    class Meta:
        model = Attempt
        fields = ["n", "at", "outcome", "wamid", "error_code", "error_title"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message in a list."""

    phone_number = serializers.CharField(source="peer", help_text="The user's phone number in digits, or user id.")
    sender = serializers.CharField(source="number.phone_number_id", help_text="The business number's id.")
    priority = serializers.SerializerMethodField()
    hold = serializers.SerializerMethodField(
        help_text="Why it waits, apart from due_at: pair, limit, campaign, template, budget, unknown, number; quality: "
        "WhatsApp has accepted it and assesses its template first."
    )

    media = serializers.SerializerMethodField(help_text="The file of the message, or null.")
    context_wamid = serializers.SerializerMethodField(
        help_text="The message that it replies to, reacts to, edits or revokes; else null."
    )

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
            "content_deleted_at",
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
        """The name of the priority."""
        return PRIORITY_NAMES.get(message.priority, str(message.priority))

    @extend_schema_field(MediaSerializer(allow_null=True))
    def get_media(self, message: Message) -> dict[str, Any] | None:
        """The file, with a URL on the host of the request."""
        request = self.context.get("request")
        return media_of(message, request.build_absolute_uri("/").rstrip("/") if request else settings.BASE_URL)

    def get_context_wamid(self, message: Message) -> str | None:
        """As in the events of subscriptions."""
        return message.context_wamid or None

    def get_hold(self, message: Message) -> str | None:
        """The kind of the hold, without our id of it. The pause of a number is not stored in its messages."""
        if message.hold:
            return message.hold.partition(":")[0]
        return NUMBER if message.status == Status.PENDING and message.number.paused_at is not None else None


class MessageDetailSerializer(MessageSerializer):
    """A message with its timeline and its Cloud API calls."""

    pricing = serializers.SerializerMethodField(help_text="By the furthest status that gave one.")
    timeline = serializers.SerializerMethodField()
    attempt_history = AttemptSerializer(source="attempt_set", many=True)

    class Meta(MessageSerializer.Meta):
        fields = [*MessageSerializer.Meta.fields, "pricing", "timeline", "attempt_history"]

    @extend_schema_field(PricingSerializer(allow_null=True))
    def get_pricing(self, message: Message) -> dict[str, Any] | None:
        """Null until Meta has given one."""
        return pricing_of(message)

    @extend_schema_field(TimelineEntrySerializer(many=True))
    def get_timeline(self, message: Message) -> list[Any]:
        """The timeline, oldest first."""
        return list(TimelineEntrySerializer(timeline(message), many=True).data)


class NotPossibleSerializer(serializers.Serializer[Any]):
    """The reason why the action is not possible, and the status of the message."""

    detail = serializers.CharField()
    status = serializers.CharField()
