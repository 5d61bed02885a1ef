"""`/monitoring/summary`, `/monitoring/alerts`, `/monitoring/metrics` and `/monitoring/provider`."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField

from messaging.access import ANY_STAFF, ApiKeyAuthentication
from monitoring.access import IsScraperClientOrStaff, MetricsToken
from monitoring.alerts import BY_NAME, with_silences
from monitoring.dashboard import read_overview
from monitoring.metrics import current, exposition
from monitoring.models import Alert
from waproject.web.api.views import StrictQueries

MOST_ALERTS = 200
STATES = ("open", "resolved", "all")


class SummaryView(StrictQueries):
    """`GET /monitoring/summary`."""

    staff_permissions = {"GET": ANY_STAFF}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The state of the whole pipeline, as the dashboard shows it."""
        return Response(asdict(read_overview(current.window())))


class AlertsView(StrictQueries):
    """`GET /monitoring/alerts`."""

    staff_permissions = {"GET": "monitoring.view_alert"}
    query_parameters = ("state",)

    @extend_schema(parameters=[OpenApiParameter("state", enum=STATES, default="open")], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The open alerts, or with `state` also resolved ones; the newest first, at most 200."""
        state = request.query_params.get("state", "open")
        if state not in STATES:
            raise ValidationError({"state": [f"One of {', '.join(STATES)}."]})
        alerts = Alert.objects.order_by("-fired_at", "-pk")
        if state != "all":
            alerts = alerts.filter(resolved_at__isnull=state == "open")
        return Response({"alerts": [_alert(alert) for alert in with_silences(alerts)[:MOST_ALERTS]]})


class MetricsView(StrictQueries):
    """`GET /monitoring/metrics`."""

    staff_permissions = {"GET": ANY_STAFF}
    authentication_classes = [MetricsToken, ApiKeyAuthentication, SessionAuthentication]
    permission_classes = [IsScraperClientOrStaff]

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        """All metrics in Prometheus' text format."""
        return HttpResponse(exposition.render(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class ProviderView(StrictQueries):
    """`GET /monitoring/provider`."""

    staff_permissions = {"GET": ANY_STAFF}

    @extend_schema(
        responses=inline_serializer(
            "Provider",
            {
                "graph_url": CharField(help_text="WA_GRAPH_URL: Meta's, or that of a sandbox."),
                "graph_version": CharField(),
                "phone_number_id": CharField(help_text="The business number that sends when a request names none."),
            },
        )
    )
    def get(self, request: Request) -> Response:
        """Which Cloud API this installation calls; a load test continues only if it is a sandbox's."""
        return Response(
            {
                "graph_url": settings.WA_GRAPH_URL,
                "graph_version": settings.WA_GRAPH_VERSION,
                "phone_number_id": settings.WA_PHONE_NUMBER_ID,
            }
        )


def _alert(alert: Alert) -> dict[str, Any]:
    rule = BY_NAME.get(alert.rule)
    return {
        "id": alert.pk,
        "rule": alert.rule,
        "key": alert.key,
        "severity": alert.severity,
        "summary": alert.summary,
        "action": rule.action if rule else "",
        "link": rule.link(alert.key, settings.BASE_URL) if rule else "",
        "value": alert.value,
        "since": alert.since,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by,
        "silenced": alert.silenced,  # type: ignore[attr-defined]  # with_silences
    }
