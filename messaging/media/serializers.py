"""Request and response fields of media files."""

from typing import Any

from rest_framework import serializers

from messaging.media_states import states
from waproject.web.api.strict_fields import strict_internal_value


class UploadSerializer(serializers.Serializer[Any]):
    """A file to upload, as a multipart form."""

    file = serializers.FileField(allow_empty_file=True)
    type = serializers.CharField(
        required=False, max_length=128, help_text="The MIME type; default: that of the form part."
    )
    sender = serializers.CharField(
        required=False,
        max_length=32,
        help_text="Meta's id of the business number that will send it; default: the default number.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
        return strict_internal_value(super().to_internal_value, data, self.fields)


class UploadedSerializer(serializers.Serializer[Any]):
    """An upload. Messages use it as `{"id": …}`."""

    id = serializers.CharField(help_text="Meta's id, valid for this sender only.")
    kind = serializers.CharField(help_text="The type of message that can carry it.")
    mime_type = serializers.CharField()
    size = serializers.IntegerField()
    expires_at = serializers.DateTimeField(help_text="Meta deletes the file then.")


class NoFileSerializer(serializers.Serializer[Any]):
    """The reason why there is no file."""

    detail = serializers.CharField()
    state = serializers.CharField(required=False)


class MediaSerializer(serializers.Serializer[Any]):
    """The file of a message. `url` is set once it is `stored`; docs/media.md lists the other states."""

    state = serializers.ChoiceField(choices=states())
    mime_type = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="In bytes.")
    filename = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True, help_text="Of the stored file, in hex.")
    url = serializers.URLField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="The error of the last attempt.")
