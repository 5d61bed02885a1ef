"""Request and response fields of read receipts."""

from typing import Any

from rest_framework import serializers

from waproject.web.api.strict_fields import strict_internal_value


class ReadSerializer(serializers.Serializer[Any]):
    """The options of a read receipt."""

    typing = serializers.BooleanField(
        default=False, help_text="Show the typing indicator to the user, for 25 s or until you reply."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
        return strict_internal_value(super().to_internal_value, data, self.fields)


class ReadAnswerSerializer(serializers.Serializer[Any]):
    """WhatsApp has accepted the read receipt."""

    id = serializers.UUIDField()
    read = serializers.BooleanField()
    typing = serializers.BooleanField()
