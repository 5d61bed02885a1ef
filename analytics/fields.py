"""Fields of requests about events."""

from datetime import UTC, datetime
from typing import Any

from rest_framework.exceptions import ValidationError

from analytics.identity import contact_key
from analytics.models import CONTACT_LENGTH
from waproject.web.strict_fields import StrictDateTimeField, StringField


class ContactField(StringField):
    """A phone number, with or without plus and separators, or a business-scoped user id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=CONTACT_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        """In the form in which messages name a person."""
        try:
            return contact_key(super().to_internal_value(data))
        except ValueError as error:
            raise ValidationError(str(error)) from None


class UtcField(StrictDateTimeField):
    """A time that has a place in UTC: PostgreSQL takes no offset beyond 15:59, Python no year but 1 to 9999."""

    def enforce_timezone(self, value: datetime) -> datetime:
        """In UTC."""
        moment = super().enforce_timezone(value)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Out of range.") from None
