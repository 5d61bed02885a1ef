"""Request and response fields of read receipts."""

from typing import Any

from rest_framework import serializers

from waproject.web.strict_fields import strict_internal_value


class ReadSerializer(serializers.Serializer[Any]):
    """How a message of a user is marked as read."""

    typing = serializers.BooleanField(
        default=False, help_text="Show the user that an answer is being written: for 25 s, or until it is there."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known, as a send does."""
        return strict_internal_value(super().to_internal_value, data, self.fields)


class ReadAnswerSerializer(serializers.Serializer[Any]):
    """WhatsApp has taken it."""

    id = serializers.UUIDField()
    read = serializers.BooleanField()
    typing = serializers.BooleanField()
