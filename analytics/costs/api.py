"""`GET /analytics/costs`: what messages cost, by period and group."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.costs.answers import blank_row, cards_of, columns_of, row_of, rows_of
from analytics.costs.dimensions import DIMENSIONS, filters_of
from analytics.costs.figures import CostQuestion, figures, total
from analytics.fields import NamesField
from analytics.query_params import read_query
from analytics.questions import (
    BadPeriod,
    Granularity,
    QuestionView,
    RowsResponse,
    days_of,
    describe,
    period_of,
    scope_of,
    steps,
    zone_of,
)
from analytics.rollups import request_days
from messaging.access import client_of
from waproject.web.api.strict_fields import ChoiceField, StringField

MAX_GROUPS, DEFAULT_LIMIT, MAX_LIMIT = 3, 100, 1000


class CurrencyField(StringField):
    """Three capital letters."""

    def to_internal_value(self, data: Any) -> str:
        """The currency."""
        text = super().to_internal_value(data)
        if len(text) != len("USD") or not (text.isascii() and text.isalpha() and text.isupper()):
            raise ValidationError("Three capital letters, such as USD.")
        return text


class CostsQuery(serializers.Serializer[Any]):
    """A period, its steps, groups and filters."""

    since = StringField(required=False, max_length=40, help_text="The first day or time; else 30 days before `until`.")
    until = StringField(required=False, max_length=40, help_text="Before this day or time; else the end of today.")
    timezone = StringField(required=False, max_length=60, help_text="An IANA name. By default the server's.")
    granularity = ChoiceField(list(Granularity), required=False, help_text="A step's length; else one step.")
    group_by = NamesField(
        "dimension of costs",
        DIMENSIONS,
        MAX_GROUPS,
        required=False,
        max_length=200,
        help_text=f"Up to {MAX_GROUPS} dimensions: {', '.join(DIMENSIONS)}.",
    )
    currency = CurrencyField(required=False, max_length=3, help_text="That of the rate cards. COSTS_CURRENCY if not.")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="How many groups at most."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add a filter for each dimension."""
        filters = {
            one.name: StringField(required=False, max_length=one.max_length, help_text=one.help)
            for one in DIMENSIONS.values()
        }
        return {**super().get_fields(), **filters}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace the texts with the period and its steps."""
        granularity = attrs.get("granularity")
        try:
            zone = zone_of(attrs.get("timezone", settings.TIME_ZONE))
            period = period_of(attrs.get("since"), attrs.get("until"), zone, timezone.now())
            starts = steps(period, Granularity(granularity)) if granularity else [period.since]
        except BadPeriod as error:
            raise ValidationError({error.field: [str(error)]}) from None
        return {**attrs, "period": period, "starts": starts}


class CostSerializer(serializers.Serializer[Any]):
    """The cost of some messages; money is text, so that no digit is lost."""

    messages = serializers.IntegerField(help_text="Delivered messages.")
    charged = serializers.IntegerField(help_text="Of these: with a price.")
    free = serializers.IntegerField(help_text="Of these: free, according to Meta.")
    unpriced = serializers.IntegerField(help_text="Of these: neither free nor on a rate card.")
    cost = serializers.CharField(allow_null=True, help_text="Of the charged ones; null: none of them has a price.")
    cards = serializers.CharField(help_text="The rate cards that made the cost.")


class CostRowSerializer(CostSerializer):
    """A step or group."""

    start = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add the dimensions."""
        named = {one.name: serializers.CharField(required=False, help_text=one.help) for one in DIMENSIONS.values()}
        return {**super().get_fields(), **named}


class CostsAnswerSerializer(serializers.Serializer[Any]):
    """Costs of a period."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    timezone = serializers.CharField()
    currency = serializers.CharField()
    total = CostSerializer()
    rows = CostRowSerializer(many=True)


class CostsView(QuestionView):
    """Costs of delivered messages."""

    @describe(CostsQuery, CostsAnswerSerializer)
    def get(self, request: Request) -> Response:
        """The total, and a row for each step and group."""
        query = read_query(request, CostsQuery)
        scope = scope_of(client_of(request), query.get("client"), "costs")
        groups, period = query.get("group_by", ()), query["period"]
        filters = filters_of({name: query[name] for name in DIMENSIONS if name in query}, scope)
        currency = query.get("currency", settings.COSTS_CURRENCY)
        request_days(days_of(query["starts"], period.until))
        question = CostQuestion(query["starts"], period.until, currency, columns_of(groups), filters, period.zone)
        found = figures(question)
        local = [period.local(start) for start in query["starts"]] if "granularity" in query else None
        return RowsResponse(
            {
                "since": period.local(period.since),
                "until": period.local(period.until),
                "timezone": str(period.zone),
                "currency": currency,
                "total": row_of(total(found), cards_of(found)),
                "rows": rows_of(found, groups, local, query["limit"]),
            },
            blank_row(groups, local),
        )
