"""Strict input: no silent type conversion, no unknown fields."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

# The name of the renderer, which DRF reads from the query.
FORMAT = "format"
T = TypeVar("T")


class StringField(serializers.CharField):
    """A JSON string: DRF would take 1.5e10 for a phone number and send to "15000000000.0"."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """A time. Without an offset it is in `TIME_ZONE`, where one hour a year may not exist and another exists twice."""

    default_error_messages = {
        "make_aware": "This time does not exist, or exists twice, in {timezone}: give it an offset, such as +01:00."
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse both kinds; DRF takes one of them."""
        zone = timezone.get_current_timezone()
        if timezone.is_naive(value):
            first, second = (value.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
            if first != second:
                self.fail("make_aware", timezone=zone)
        moment: datetime = super().enforce_timezone(value)
        return moment


class ChoiceField(serializers.ChoiceField):
    """A choice whose refusal lists what is allowed."""

    def __init__(self, choices: Sequence[Any], **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = '"{input}" is not allowed. ' + allowed(self.choices)


def allowed(names: Iterable[object]) -> str:
    """The end of a refusal: what would have been right."""
    return f"Allowed: {', '.join(map(str, names))}."


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """Raise ValidationError for fields that nobody knows: a typing error in `send_at` must not send at once."""
    if unknown := set(given) - set(known):
        raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))


def known_alone(convert: Callable[[Any], T], data: Any, known: Collection[str]) -> T:
    """What `convert` makes of a body. Raises ValidationError with its errors and the unknown fields together."""
    unknown = sorted(set(data) - set(known)) if isinstance(data, Mapping) else []
    try:
        values = convert(data)
    except serializers.ValidationError as error:
        if unknown and isinstance(error.detail, dict):
            raise serializers.ValidationError(
                {**error.detail, **{name: ["Unknown field."] for name in unknown}}
            ) from None
        raise
    refuse_unknown(unknown, ())
    return values


def refuse_unknown_parameters(request: Request, known: Iterable[str]) -> None:
    """Raise ValidationError for query parameters that a list does not know: `?campain=` must not list everything."""
    known = sorted(set(known))
    if unknown := sorted(set(request.query_params) - {*known, FORMAT}):
        text = f"Unknown parameter. {allowed(known)}" if known else "Unknown parameter. None is allowed here."
        raise serializers.ValidationError({name[:100]: [text] for name in unknown})
