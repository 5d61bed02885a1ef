"""Strict input: no silent type conversion, no unknown fields."""

from collections.abc import Collection
from typing import Any

from rest_framework import serializers


class StringField(serializers.CharField):
    """A JSON string: DRF would take 1.5e10 for a phone number and send to "15000000000.0"."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """Raise ValidationError for fields that nobody knows: a typing error in `send_at` must not send at once."""
    if unknown := set(given) - set(known):
        raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))
