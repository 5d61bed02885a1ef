"""Request and response fields of subscriptions and deliveries."""

from typing import Any

from rest_framework import serializers

from messaging.accepting import UnknownNumber
from messaging.models import BusinessNumber, Delivery, Subscription
from messaging.models.subscriptions import DESCRIPTION_LENGTH, SUBSCRIBABLE, all_events, delivery_states
from messaging.subscriber_http.ssrf_guard import AddressNotAllowed
from messaging.subscriptions.changes import check_endpoint
from waproject.web.api.strict_fields import ChoiceField, StrictDateTimeField, StringField, strict_internal_value

EVENTS = [kind.value for kind in SUBSCRIBABLE]


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """A subscription. Only the answers to its creation and rotation have its secret."""

    url = StringField(help_text="The https:// URL of your endpoint, without user and password; no private address.")
    description = StringField(max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True)
    events = serializers.ListField(
        child=ChoiceField(choices=EVENTS), allow_empty=False, required=False, help_text="Default: all."
    )
    sender = StringField(
        source="number",
        max_length=32,
        required=False,
        allow_null=True,
        help_text="Meta's id of a business number, to get only its events. Default: all numbers.",
    )

    class Meta:
        model = Subscription
        fields = [
            "id",
            "url",
            "description",
            "events",
            "sender",
            "active",
            "disabled_at",
            "disabled_why",
            "failing_since",
            "paused_until",
            "last_error",
            "last_error_at",
            "previous_secret_until",
            "created_at",
        ]
        read_only_fields = [
            "id", "disabled_at", "disabled_why", "failing_since", "paused_until", "last_error", "last_error_at",
            "previous_secret_until", "created_at",
        ]  # fmt: skip

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown and read-only fields."""
        settable = {name for name, field in self.fields.items() if not field.read_only}
        return strict_internal_value(super().to_internal_value, data, settable)

    def to_representation(self, instance: Subscription) -> dict[str, Any]:
        """The subscription, with the business number as Meta's id."""
        number = instance.number
        answer = super().to_representation(instance)
        answer["sender"] = number and number.phone_number_id
        return answer

    def validate_url(self, value: str) -> str:
        """Refuse an address that deliveries can never reach."""
        try:
            check_endpoint(value)
        except AddressNotAllowed as error:
            raise serializers.ValidationError(str(error)) from None
        return value

    def validate_events(self, value: list[str]) -> list[str]:
        """The event types without duplicates, in a fixed order."""
        return [kind for kind in all_events() if kind in value]

    def validate_sender(self, value: str | None) -> BusinessNumber | None:
        """The business number with this id."""
        if value is None:
            return None
        number = BusinessNumber.objects.filter(phone_number_id=value).first()
        if number is None:
            raise serializers.ValidationError(str(UnknownNumber(value)))
        return number


class SecretSerializer(SubscriptionSerializer):
    """A subscription with its secret, shown once."""

    class Meta(SubscriptionSerializer.Meta):
        fields = [*SubscriptionSerializer.Meta.fields, "secret"]
        read_only_fields = [*SubscriptionSerializer.Meta.read_only_fields, "secret"]


class TrySerializer(serializers.Serializer[Any]):
    """One attempt of a delivery."""

    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """A delivery and its attempts, oldest first, without its payload."""

    event = serializers.CharField()
    state = ChoiceField(choices=delivery_states())
    message = serializers.UUIDField(
        source="message_id", allow_null=True, help_text="The message of the event, or null."
    )
    log = TrySerializer(many=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "event",
            "message",
            "state",
            "attempts",
            "status_code",
            "duration_ms",
            "error",
            "created_at",
            "due_at",
            "finished_at",
            "log",
        ]


class SinceSerializer(serializers.Serializer[Any]):
    """The start of a replay."""

    since = StrictDateTimeField(help_text="Replay deliveries created at or after this time.")

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
        return strict_internal_value(super().to_internal_value, data, self.fields)


class ReplayedSerializer(serializers.Serializer[Any]):
    """The number of deliveries that are queued again, at most 10,000."""

    replayed = serializers.IntegerField()


class DetailSerializer(serializers.Serializer[Any]):
    """The reason of a refusal."""

    detail = serializers.CharField()
