"""Strict input: no silent type conversion, no unknown fields."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from waproject.web.api.iso_times import iso_time

# DRF's query parameter for the renderer.
FORMAT = "format"
T = TypeVar("T")


class StringField(serializers.CharField):
    """A JSON string. DRF's CharField also accepts numbers: 1.5e10 would become the phone number "15000000000.0"."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictDateTimeField(serializers.DateTimeField):
    """A time; without an offset it is in `TIME_ZONE`. Refuses local times that DST skips or repeats."""

    # As the description's `date-time`, whose offset may be left out.
    FORM = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]"

    default_error_messages = {
        "make_aware": "This time does not exist, or exists twice, in {timezone}: give it an offset, such as +01:00."
    }

    def to_internal_value(self, value: Any) -> datetime:
        """Refuse other spellings than ISO 8601's usual one."""
        given = iso_time(value) if isinstance(value, str) else value
        if given is None:
            self.fail("invalid", format=self.FORM)
        moment: datetime = super().to_internal_value(given)
        return moment

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse skipped and repeated local times; DRF accepts repeated ones."""
        zone = timezone.get_current_timezone()
        if timezone.is_naive(value):
            first, second = (value.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
            if first != second:
                self.fail("make_aware", timezone=zone)
        moment: datetime = super().enforce_timezone(value)
        return moment


class ChoiceField(serializers.ChoiceField):
    """A choice whose error lists the allowed values."""

    def __init__(self, choices: Sequence[Any], **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = '"{input}" is not allowed. ' + allowed(self.choices)


def allowed(names: Iterable[object]) -> str:
    """The part of an error that lists the allowed values."""
    return f"Allowed: {', '.join(map(str, names))}."


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """Raise ValidationError for unknown fields: a typing error in `send_at` must not send at once."""
    if unknown := set(given) - set(known):
        raise serializers.ValidationError({name: ["Unknown field."] for name in sorted(unknown)})


def strict_internal_value(convert: Callable[[Any], T], data: Any, known: Collection[str]) -> T:
    """The result of `convert(data)`. Raises ValidationError with its errors and all unknown fields together."""
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


def check_parameters(request: Request, known: Iterable[str], lists: Collection[str] = ()) -> None:
    """Raise ValidationError for query parameters that are unknown, empty, or given twice.

    `?campain=` and `?campaign=` must not list everything, and of two values none is left out in silence. A parameter
    in `lists` may be repeated.
    """
    known = sorted(set(known))
    faults = {}
    for name, values in request.query_params.lists():
        if name not in known and name != FORMAT:
            faults[name[:100]] = f"Unknown parameter. {allowed(known) if known else 'None is allowed here.'}"
        elif not all(value.strip() for value in values):
            faults[name] = "Give a value, or leave the parameter out."
        elif len(values) > 1 and name not in lists:
            faults[name] = "Give it once."
    if faults:
        raise serializers.ValidationError({name: [text] for name, text in sorted(faults.items())})
