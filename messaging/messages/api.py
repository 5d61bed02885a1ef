"""`GET /messaging/messages`: the list, and one message with its timeline and attempts."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.identifiers import first_uuid7
from messaging.messages.search import peers_matching
from messaging.messages.serializers import MessageDetailSerializer, MessageSerializer
from messaging.models import Attempt, Message
from messaging.models.messages import directions
from messaging.states import choices
from waproject.web.strict_fields import allowed, refuse_unknown_parameters

# A row's id and created_at are set one after the other, and the clock may be set back in between.
ID_SLACK_MS = 60_000


def one_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A choice filter's error messages, which list the allowed values."""
    return {"invalid_choice": f'"%(value)s" is not allowed. {allowed(name for name, _ in pairs)}'}


class MomentField(IsoDateTimeField):
    """A time, converted to UTC: PostgreSQL takes no offset beyond 15:59, Python no year outside 1 to 9999."""

    def clean(self, value: Any) -> datetime | None:
        """Raise ValidationError for a time out of range in UTC, and for a parameter without a value."""
        if value == "":
            raise InvalidValue("Give a time such as 2026-12-24T18:00:00Z, or leave the parameter out.")
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise InvalidValue("Out of range.") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A filter by time."""

    field_class = MomentField


class MessageFilter(django_filters.FilterSet):
    """?direction=, status=, type=, phone_number=, sender=, wamid=, reference=, campaign=, created_after=, …_before="""

    direction = django_filters.ChoiceFilter(choices=directions(), error_messages=one_of(directions()))
    status = django_filters.MultipleChoiceFilter(choices=choices(), error_messages=one_of(choices()))
    type = django_filters.CharFilter()
    phone_number = django_filters.CharFilter(method="filter_phone_number")
    sender = django_filters.CharFilter(field_name="number__phone_number_id")
    wamid = django_filters.CharFilter()
    reference = django_filters.CharFilter()
    campaign = django_filters.CharFilter()
    created_after = MomentFilter(method="filter_created_after")
    created_before = MomentFilter(method="filter_created_before")

    class Meta:
        model = Message
        fields: list[str] = []

    def filter_phone_number(self, queryset: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        """With or without the plus (which a query string may turn into a space) and separators."""
        return queryset.filter(peer__in=peers_matching(value))

    # Pages are in the order of the ids, which hold the time: without a bound on the id, a page of last year would scan
    # the index from today on.
    def filter_created_after(self, queryset: QuerySet[Message], name: str, value: datetime) -> QuerySet[Message]:
        """Messages created at or after this time."""
        return queryset.filter(created_at__gte=value, id__gte=first_uuid7(value, -ID_SLACK_MS))

    def filter_created_before(self, queryset: QuerySet[Message], name: str, value: datetime) -> QuerySet[Message]:
        """Messages created before this time."""
        return queryset.filter(created_at__lt=value, id__lt=first_uuid7(value, ID_SLACK_MS))


class NewestFirst(CursorPagination):
    """Pages by id, which sorts by time: the newest page costs the same, however many messages there are."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """One page. Raises ValidationError for unknown query parameters."""
        filters = getattr(getattr(view, "filterset_class", None), "base_filters", {})
        refuse_unknown_parameters(request, [*filters, self.cursor_query_param, self.page_size_query_param])
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """The requested page size. Raises ValidationError if it is invalid."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size):
            raise ValidationError({self.page_size_query_param: [f"A whole number from 1 to {self.max_page_size}."]})
        return int(asked)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The parameters, with the bounds of the page size."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor. Raises NotFound if we did not issue it."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                UUID(str(cursor.position))
            except ValueError:
                raise NotFound(self.invalid_cursor_message) from None
        return cursor


class MessageListView(generics.ListAPIView[Message]):
    """Messages of both directions, newest first."""

    staff_permissions = {"GET": "messaging.view_message"}
    queryset = Message.objects.select_related("number", "media")
    serializer_class = MessageSerializer
    pagination_class = NewestFirst
    filter_backends = [DjangoFilterBackend]
    filterset_class = MessageFilter


class MessageDetailView(generics.RetrieveAPIView[Message]):
    """One message with its timeline and attempts."""

    staff_permissions = {"GET": "messaging.view_message"}
    queryset = Message.objects.select_related("number", "media").prefetch_related(
        "events", Prefetch("attempt_set", Attempt.objects.order_by("at", "id"))
    )
    serializer_class = MessageDetailSerializer

    def get_object(self) -> Message:
        """The message. Raises NotFound in words of the API, not of the database."""
        try:
            return super().get_object()
        except Http404:
            raise NotFound("No message has this id.") from None
