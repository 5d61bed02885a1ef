"""`POST /messaging/analytics`: events of one's own systems."""

import json
from typing import Any

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.models import EVENT_TYPE_LENGTH
from analytics.services import enqueue
from messaging.access import client_of
from waproject.web.strict_fields import StrictDateTimeField, StringField, strict_internal_value

MAX_EVENTS = 1000
MAX_EVENT_BYTES = 64 * 1024


class EventSerializer(serializers.Serializer[Any]):
    """One event."""

    event_type = StringField(max_length=EVENT_TYPE_LENGTH)
    event_data = serializers.DictField(required=False, help_text="Any JSON object, up to 64 KB.")
    event_id = serializers.UUIDField(required=False, help_text="Your own id: the same event sent again is stored once.")
    occurred_at = StrictDateTimeField(required=False, help_text="Now, when it is left out.")

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known."""
        return strict_internal_value(super().to_internal_value, data, self.fields)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is too large for a row."""
        if len(json.dumps(attrs.get("event_data", {}))) > MAX_EVENT_BYTES:
            raise ValidationError({"event_data": f"Over {MAX_EVENT_BYTES} bytes."})
        if "occurred_at" in attrs:
            attrs["occurred_at"] = attrs["occurred_at"].isoformat()
        return attrs


class EventsAnswerSerializer(serializers.Serializer[Any]):
    """The ids under which the events will be stored."""

    ids = serializers.ListField(child=serializers.UUIDField())


EVENT_OR_LIST = PolymorphicProxySerializer(
    component_name="EventOrList",
    serializers=[EventSerializer, EventSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)

# The OpenAPI page sends the first one as it stands.
EXAMPLES = [
    OpenApiExample(
        "One event",
        value={"event_type": "user_action", "event_data": {"action": "button_click", "user_id": "123"}},
        request_only=True,
    ),
    OpenApiExample("A list", value=[{"event_type": "signup"}, {"event_type": "login"}], request_only=True),
]


class AnalyticsView(APIView):
    """Takes one event or a list; they are stored by the analytics worker."""

    staff_permissions = {"POST": "analytics.add_event"}

    @extend_schema(request=EVENT_OR_LIST, responses={202: EventsAnswerSerializer}, examples=EXAMPLES)
    def post(self, request: Request) -> Response:
        """202 with the events' ids: all are taken or none."""
        data = request.data if isinstance(request.data, list) else [request.data]
        if not 1 <= len(data) <= MAX_EVENTS:
            raise ValidationError({"events": [f"A list has 1 to {MAX_EVENTS} events; this one has {len(data)}."]})
        events = [self._validated(item, index, request.data) for index, item in enumerate(data)]
        client = client_of(request)
        ids = enqueue(events, source="api", client_name=client.name if client else "")
        return Response({"ids": [str(event_id) for event_id in ids]}, status=202)

    def _validated(self, item: Any, index: int, whole: Any) -> dict[str, Any]:
        serializer = EventSerializer(data=item)
        if serializer.is_valid():
            return dict(serializer.validated_data)
        raise ValidationError({str(index): serializer.errors} if isinstance(whole, list) else serializer.errors)
