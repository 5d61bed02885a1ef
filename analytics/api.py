"""`/analytics/events`: accepts and lists events of clients. `POST /messaging/analytics` accepts them too."""

import json
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.fields import ContactField, UtcField
from analytics.keyset_pages import Position, next_url, page
from analytics.models import EVENT_ID_LENGTH, EVENT_TYPE_LENGTH, REFERENCE_LENGTH, Event
from analytics.query_params import read_query
from analytics.services import enqueue
from messaging.access import client_of
from waproject.web.api.strict_fields import ChoiceField, StringField, strict_internal_value
from waproject.web.api.views import StrictQueries

MAX_EVENTS = 1000
PAGE, MAX_PAGE = 50, 200
MAX_EVENT_BYTES = 64 * 1024


class EventSerializer(serializers.Serializer[Any]):
    """One event."""

    event_type = StringField(max_length=EVENT_TYPE_LENGTH)
    event_data = serializers.DictField(required=False, help_text="Any JSON object, up to 64 KB.")
    event_id = StringField(
        required=False,
        max_length=EVENT_ID_LENGTH,
        trim_whitespace=False,
        help_text="Your own id: the same event sent again is stored once.",
    )
    contact = ContactField(required=False, help_text="The person concerned: a phone number or a user id.")
    reference = StringField(required=False, max_length=REFERENCE_LENGTH, help_text="A label of your own.")
    occurred_at = UtcField(required=False, help_text="Now, if it is left out.")

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
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

# The OpenAPI page sends the first one unchanged.
EXAMPLES = [
    OpenApiExample(
        "One event",
        value={"event_type": "user_action", "event_data": {"action": "button_click", "user_id": "123"}},
        request_only=True,
    ),
    OpenApiExample("A list", value=[{"event_type": "signup"}, {"event_type": "login"}], request_only=True),
]


class TrackView(StrictQueries):
    """Accepts one event or a list; the analytics worker stores them."""

    staff_permissions = {"POST": "analytics.add_event"}

    @extend_schema(request=EVENT_OR_LIST, responses={202: EventsAnswerSerializer}, examples=EXAMPLES)
    def post(self, request: Request) -> Response:
        """202 with the events' ids: all are accepted, or none."""
        data = request.data if isinstance(request.data, list) else [request.data]
        if not 1 <= len(data) <= MAX_EVENTS:
            raise ValidationError({"events": [f"A list has 1 to {MAX_EVENTS} events; this one has {len(data)}."]})
        events = [self._validated(item, index, request.data) for index, item in enumerate(data)]
        client = client_of(request)
        owner = f"client {client.pk}" if client else "staff"
        ids = enqueue(events, source="api", owner=owner, client_name=client.name if client else "")
        return Response({"ids": [str(event_id) for event_id in ids]}, status=202)

    def _validated(self, item: Any, index: int, whole: Any) -> dict[str, Any]:
        serializer = EventSerializer(data=item)
        if serializer.is_valid():
            return dict(serializer.validated_data)
        raise ValidationError({str(index): serializer.errors} if isinstance(whole, list) else serializer.errors)


class EventsQuerySerializer(serializers.Serializer[Any]):
    """The filters of events; all are optional."""

    event_type = StringField(required=False, max_length=EVENT_TYPE_LENGTH)
    event_id = StringField(required=False, max_length=EVENT_ID_LENGTH, trim_whitespace=False)
    contact = ContactField(required=False, help_text="In any spelling.")
    reference = StringField(required=False, max_length=REFERENCE_LENGTH)
    client = StringField(required=False, max_length=100, source="client_name", help_text="The client's name.")
    source = ChoiceField(["api", "python"], required=False)  # type: ignore[assignment] # DRF's own name
    occurred_after = UtcField(required=False, help_text="From this time on.")
    occurred_before = UtcField(required=False, help_text="Before this time.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, default=PAGE)
    cursor = StringField(required=False, max_length=200, help_text="From `next` of the page before.")


class StoredEventSerializer(serializers.ModelSerializer[Event]):
    """An event as it is stored."""

    event_data = serializers.JSONField(source="data")
    client = serializers.CharField(source="client_name")

    class Meta:
        model = Event
        fields = [
            "id",
            "event_id",
            "event_type",
            "event_data",
            "contact",
            "reference",
            "client",
            "source",
            "occurred_at",
            "stored_at",
        ]


class EventsPageSerializer(serializers.Serializer[Any]):
    """A page of events."""

    next = serializers.URLField(allow_null=True, help_text="The next page; null on the last one.")
    results = StoredEventSerializer(many=True)


class EventsView(TrackView):
    """Lists events, newest first; accepts new ones."""

    staff_permissions = {"GET": "analytics.view_event", "POST": "analytics.add_event"}
    reads_query = ("GET",)

    @extend_schema(parameters=[EventsQuerySerializer], responses=EventsPageSerializer)
    def get(self, request: Request) -> Response:
        """One page. Follow `next` for the others."""
        filters = read_query(request, EventsQuerySerializer)
        size, cursor = filters.pop("page_size"), filters.pop("cursor", None)
        rows, following = page(_chosen(filters), Position.read(cursor) if cursor else None, size)
        results = StoredEventSerializer(rows, many=True).data
        return Response({"next": next_url(request, following), "results": results})


def _chosen(filters: dict[str, Any]) -> QuerySet[Event]:
    moments = {"occurred_after": "occurred_at__gte", "occurred_before": "occurred_at__lt"}
    return Event.objects.filter(**{moments.get(name, name): value for name, value in filters.items()})
