"""Query parameters of questions, validated strictly: an unknown, repeated or malformed one is a 400 that names it."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from analytics.fields import NamesField
from analytics.query_params import read_query
from analytics.questions.dimensions import DIMENSIONS, Dimension, Kind
from analytics.questions.periods import BadPeriod, Granularity, period_of, steps, zone_of
from analytics.questions.question import DEFAULT_LIMIT, MAX_GROUPS, MAX_LIMIT, Question
from messaging.access import client_of
from messaging.models import ApiClient
from waproject.web.api.strict_fields import ChoiceField, StringField

MAX_CODE = 2**31 - 1


class GroupField(NamesField):
    """Names of dimensions with commas between them."""

    def __init__(self, **options: Any) -> None:
        super().__init__("dimension", DIMENSIONS, MAX_GROUPS, **options)

    def to_internal_value(self, data: Any) -> tuple[Dimension, ...]:  # type: ignore[override]
        """The dimensions, in the order given."""
        return tuple(DIMENSIONS[name] for name in super().to_internal_value(data))


def filter_field(dimension: Dimension) -> serializers.Field[Any, Any, Any, Any]:
    """The field of a filter by this dimension."""
    if dimension.kind == Kind.CHOICE:
        return ChoiceField(dimension.choices, required=False, help_text=dimension.help)
    if dimension.kind == Kind.CODE:
        return serializers.IntegerField(required=False, min_value=0, max_value=MAX_CODE, help_text=dimension.help)
    return StringField(required=False, max_length=dimension.max_length, help_text=dimension.help)


class PeriodQuery(serializers.Serializer[Any]):
    """A period, and filters by each dimension; subclasses add parameters."""

    since = StringField(
        required=False,
        max_length=40,
        help_text="The first day, or a time. Without an offset it is in `timezone`. By default 30 days before `until`.",
    )
    until = StringField(
        required=False, max_length=40, help_text="The day or time before which it ends. By default the end of today."
    )
    timezone = StringField(
        required=False, max_length=60, help_text="An IANA name, whose days and hours count. By default the server's."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add the filters."""
        filters = {name: filter_field(dimension) for name, dimension in DIMENSIONS.items()}
        return {**super().get_fields(), **filters}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace the texts with `period` and `filters`."""
        try:
            zone = zone_of(attrs.pop("timezone", settings.TIME_ZONE))
            period = period_of(attrs.pop("since", None), attrs.pop("until", None), zone, timezone.now())
            if attrs.get("granularity"):
                attrs["granularity"] = Granularity(attrs["granularity"])
                steps(period, attrs["granularity"])
        except BadPeriod as error:
            raise ValidationError({error.field: [str(error)]}) from None
        filters = {name: attrs.pop(name) for name in DIMENSIONS if name in attrs}
        return {**attrs, "period": period, "filters": filters}


class GroupedQuery(PeriodQuery):
    """Adds groups, those with most messages first."""

    group_by = GroupField(
        required=False, max_length=200, help_text=f"Up to {MAX_GROUPS} dimensions: {', '.join(DIMENSIONS)}."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="How many groups at most."
    )


class SteppedQuery(GroupedQuery):
    """Adds groups and steps."""

    granularity = ChoiceField(list(Granularity), required=False, default=Granularity.DAY, help_text="A step's length.")


def read_question(request: Request, query: type[PeriodQuery]) -> tuple[Question, dict[str, Any]]:
    """The question that a request asks, and the values of parameters that are not part of every question.

    A client's key sees its own client's figures unless it is an operator's. Raises ValidationError.
    """
    values = read_query(request, query)
    filters = values.pop("filters")
    question = Question(
        period=values.pop("period"),
        granularity=values.pop("granularity", None),
        group_by=values.pop("group_by", ()),
        filters=filters,
        client_id=scope_of(client_of(request), filters.get("client")),
        limit=values.pop("limit", DEFAULT_LIMIT),
    )
    return question, values


def scope_of(client: ApiClient | None, asked_for: str | None, figures: str = "figures") -> int | None:
    """The id of the client whose figures this client may see; None: all clients'. Raises ValidationError."""
    if client is None or client.operator:
        return None
    if asked_for not in {None, client.name}:
        raise ValidationError({"client": [f"Your key sees the {figures} of its own client only."]})
    return client.pk
