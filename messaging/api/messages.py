"""`GET /messaging/messages`: messages of both directions, and one with all that happened to it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from messaging.models import Message
from messaging.models.messages import directions
from messaging.search import peers_of
from messaging.serializers import MessageDetailSerializer, MessageSerializer
from messaging.states import choices


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
