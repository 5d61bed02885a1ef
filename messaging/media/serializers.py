"""Request and response fields of media files."""

from typing import Any

from rest_framework import serializers

from messaging.media_states import states
from waproject.web.strict_fields import strict_internal_value


class UploadSerializer(serializers.Serializer[Any]):
    """A file for messages to come, as a multipart form."""

    file = serializers.FileField(allow_empty_file=True)
    type = serializers.CharField(required=False, max_length=128, help_text="Its MIME type; else that of the part.")
    sender = serializers.CharField(
        required=False, max_length=32, help_text="Meta's id of the business number that will send it; else the default."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known."""
        return strict_internal_value(super().to_internal_value, data, self.fields)


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


class MediaSerializer(serializers.Serializer[Any]):
    """The file of a message. `url` is there once it is `stored`; the other states are in docs/media.md."""

    state = serializers.ChoiceField(choices=states())
    mime_type = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="In bytes.")
    filename = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True, help_text="Of what is stored, in hex.")
    url = serializers.URLField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="What came of the last try.")
