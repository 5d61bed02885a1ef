"""Fields of requests: a contact, a time in UTC, a list of names."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from rest_framework.exceptions import ValidationError

from analytics.event_ids import contact_key
from analytics.models import CONTACT_LENGTH
from waproject.web.api.strict_fields import StrictDateTimeField, StringField, allowed


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
    """A time, converted to UTC: PostgreSQL takes no offset beyond 15:59, Python no year outside 1 to 9999."""

    def enforce_timezone(self, value: datetime) -> datetime:
        """In UTC."""
        moment = super().enforce_timezone(value)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Out of range.") from None


class NamesField(StringField):
    """Names of dimensions with commas between them: at most `most` of `names`, each once. An error says "no `kind`"."""

    def __init__(self, kind: str, names: Collection[str], most: int, **options: Any) -> None:
        super().__init__(**options)
        self._kind, self._names, self._most = kind, names, most

    def to_internal_value(self, data: Any) -> tuple[str, ...]:  # type: ignore[override]
        """The names, in the order given."""
        names = super().to_internal_value(data).split(",")
        if unknown := [name for name in names if name not in self._names]:
            raise ValidationError(f'"{unknown[0][:100]}" is no {self._kind}. {allowed(self._names)}')
        if len(set(names)) < len(names):
            raise ValidationError("Name each dimension once.")
        if len(names) > self._most:
            raise ValidationError(f"At most {self._most} dimensions.")
        return tuple(names)
