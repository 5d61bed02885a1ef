"""The messaging API: send one, send many, look at what became of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.authentication import client_of
from messaging.models import Message
from messaging.models.messages import directions
from messaging.search import peers_of
from messaging.serializers import (
    MAX_BULK,
    AcceptedSerializer,
    BulkAnswerSerializer,
    BulkSerializer,
    MessageDetailSerializer,
    MessageSerializer,
    SendSerializer,
)
from messaging.services import accept, numbers_to_send_from
from messaging.states import choices


class SendView(APIView):
    """Accept one message; the answer comes before it is sent."""

    @extend_schema(request=SendSerializer, responses={202: AcceptedSerializer})
    def post(self, request: Request) -> Response:
        """202 with our id; follow it at /messaging/messages/{id}."""
        serializer = SendSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        (message,) = accept([serializer.validated_data["new"]], client_of(request))
        return Response(_accepted(message, serializer.validated_data["warnings"]), status=202)


class SendBulkView(APIView):
    """Accept up to 1,000 messages in one request."""

    @extend_schema(request=BulkSerializer, responses={202: BulkAnswerSerializer})
    def post(self, request: Request) -> Response:
        """202 with a result per item: the good ones are accepted, the bad ones named by index. 400 if none is good."""
        items = _bulk_items(request.data)
        context: dict[str, Any] = {"numbers": numbers_to_send_from(_senders(items))}
        results: list[dict[str, Any]] = []
        good: list[tuple[dict[str, Any], dict[str, Any]]] = []
        for index, item in enumerate(items):
            serializer = SendSerializer(data=item, context=context)
            result: dict[str, Any] = {"index": index}
            results.append(result)
            if serializer.is_valid():
                good.append((result, serializer.validated_data))
            else:
                result["errors"] = serializer.errors
        rows = accept([data["new"] for _, data in good], client_of(request)) if good else []
        for (result, data), message in zip(good, rows, strict=True):
            result.update(_accepted(message, data["warnings"]))
        return Response({"results": results}, status=202 if good else 400)


def _bulk_items(data: Any) -> list[Any]:
    if not isinstance(data, dict):
        raise ValidationError({"messages": ['The body is an object: {"messages": [...]}.']})
    if unknown := set(data) - {"messages"}:
        raise ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))
    items = data.get("messages")
    if not isinstance(items, list) or not items:
        raise ValidationError({"messages": ["A list of send bodies is required."]})
    if len(items) > MAX_BULK:
        raise ValidationError({"messages": [f"At most {MAX_BULK} messages in one request; these are {len(items)}."]})
    return items


def _senders(items: Iterable[Any]) -> set[str | None]:
    """What a bulk's items name as their senders; None is the default one."""
    named = [item.get("sender") for item in items if isinstance(item, dict)]
    return {sender.strip() if isinstance(sender, str) else None for sender in named}


def _accepted(message: Message, warnings: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": str(message.id), "status": message.status}
    return {**answer, "warnings": warnings} if warnings else answer


class MomentField(IsoDateTimeField):
    """A moment in UTC: PostgreSQL takes no offset beyond 15:59, Python no year but 1 to 9999."""

    def clean(self, value: Any) -> datetime | None:
        """Raise ValidationError for a moment that has no place in UTC."""
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise InvalidValue("Out of range.") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A filter by time."""

    field_class = MomentField


class MessageFilter(django_filters.FilterSet):
    """?direction=, status=, type=, phone_number=, sender=, wamid=, created_after=, created_before="""

    direction = django_filters.ChoiceFilter(choices=directions())
    status = django_filters.MultipleChoiceFilter(choices=choices())
    type = django_filters.CharFilter()
    phone_number = django_filters.CharFilter(method="filter_phone_number")
    sender = django_filters.CharFilter(field_name="number__phone_number_id")
    wamid = django_filters.CharFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Message
        fields: list[str] = []

    def filter_phone_number(self, queryset: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        """With or without the plus (which a query string may turn into a space) and separators."""
        return queryset.filter(peer__in=peers_of(value))


class NewestFirst(CursorPagination):
    """Our ids sort by time, so the newest page stays cheap however many messages there are."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """404 for a cursor that we did not make."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                UUID(str(cursor.position))
            except ValueError:
                raise NotFound(self.invalid_cursor_message) from None
        return cursor


class MessageListView(generics.ListAPIView[Message]):
    """Messages of both directions, newest first."""

    queryset = Message.objects.select_related("number")
    serializer_class = MessageSerializer
    pagination_class = NewestFirst
    filter_backends = [DjangoFilterBackend]
    filterset_class = MessageFilter


class MessageDetailView(generics.RetrieveAPIView[Message]):
    """One message with its timeline."""

    queryset = Message.objects.select_related("number").prefetch_related("events")
    serializer_class = MessageDetailSerializer
