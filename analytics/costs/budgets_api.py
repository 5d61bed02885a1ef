"""`GET /analytics/budgets`: budgets and what is spent of them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.costs.answers import money
from analytics.models import Budget
from analytics.query_params import read_query
from messaging.access import client_of
from waproject.web.api.strict_fields import StringField
from waproject.web.api.views import StrictQueries


class BudgetsQuery(serializers.Serializer[Any]):
    """The filters of budgets."""

    campaign = StringField(required=False, max_length=100, help_text="Of this campaign.")


class BudgetSerializer(serializers.Serializer[Any]):
    """A budget, as of its last check."""

    client = serializers.CharField(allow_null=True, help_text="null: of all clients.")
    campaign = serializers.CharField(help_text="Empty: all messages of the client.")
    period = serializers.CharField(help_text="month, total")
    amount = serializers.CharField()
    currency = serializers.CharField()
    warn_share = serializers.CharField()
    active = serializers.BooleanField()
    spent = serializers.CharField()
    unpriced = serializers.IntegerField(help_text="Messages without a price; they count for nothing.")
    state = serializers.CharField(help_text="fine, warned, spent: what is spent is held.")
    checked_at = serializers.DateTimeField(allow_null=True)


class BudgetsAnswerSerializer(serializers.Serializer[Any]):
    """All budgets."""

    results = BudgetSerializer(many=True)


class BudgetsView(StrictQueries):
    """Budgets. A client's key sees those of its client."""

    staff_permissions = {"GET": "analytics.view_budget"}
    reads_query = ("GET",)

    @extend_schema(parameters=[BudgetsQuery], responses=BudgetsAnswerSerializer)
    def get(self, request: Request) -> Response:
        """All that the caller may see."""
        query = read_query(request, BudgetsQuery)
        client = client_of(request)
        rows = Budget.objects.select_related("client").filter(**query)
        if client is not None and not client.operator:
            rows = rows.filter(client=client)
        return Response({"results": [row_of(row) for row in rows]})


def row_of(budget: Budget) -> dict[str, Any]:
    """A budget as JSON; money is text."""
    return {
        "client": budget.client.name if budget.client else None,
        "campaign": budget.campaign,
        "period": budget.period,
        "amount": money(budget.amount),
        "currency": budget.currency,
        "warn_share": money(budget.warn_share),
        "active": budget.active,
        "spent": money(budget.spent),
        "unpriced": budget.unpriced,
        "state": budget.state,
        "checked_at": budget.checked_at,
    }
