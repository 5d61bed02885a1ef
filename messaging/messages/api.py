"""`GET /messaging/messages`: the list, and one message with its timeline and attempts."""

import django_filters
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics
from rest_framework.exceptions import NotFound

from messaging.messages.filters import TIME_FILTERS, CreatedFilterSet, one_of
from messaging.messages.pagination import NewestFirst
from messaging.messages.search import peers_matching
from messaging.messages.serializers import NUMBER, MessageDetailSerializer, MessageSerializer
from messaging.models import Attempt, HoldKind, Message
from messaging.models.messages import LIMIT, PAIR, QUALITY, UNKNOWN, directions
from messaging.states import Status, choices
from waproject.web.api.views import StrictQueries

INDEXED_FILTERS = {"phone_number", "wamid", "reference", "campaign"}
# An index with the status would make every change of a status a non-HOT update.
UNINDEXED_FILTERS = {"direction", "status", "type", "sender", "hold"}
# The kinds that `hold` of a message names; a pause of its number is not stored in the message.
HOLDS = (PAIR, LIMIT, *(kind.value for kind in HoldKind), UNKNOWN, QUALITY, NUMBER)
HOLD_CHOICES = [(name, name) for name in HOLDS]


class MessageFilter(CreatedFilterSet):
    """?direction=, status=, hold=, type=, phone_number=, sender=, wamid=, reference=, campaign=, created_after=, …"""

    direction = django_filters.ChoiceFilter(choices=directions(), error_messages=one_of(directions()))
    status = django_filters.MultipleChoiceFilter(choices=choices(), error_messages=one_of(choices()))
    hold = django_filters.ChoiceFilter(
        choices=HOLD_CHOICES, error_messages=one_of(HOLD_CHOICES), method="filter_hold", label="Why it waits."
    )
    type = django_filters.CharFilter()
    phone_number = django_filters.CharFilter(method="filter_phone_number")
    sender = django_filters.CharFilter(field_name="number__phone_number_id")
    wamid = django_filters.CharFilter()
    reference = django_filters.CharFilter()
    campaign = django_filters.CharFilter()

    class Meta:
        model = Message
        fields: list[str] = []

    def filter_phone_number(self, queryset: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        """With or without the plus (which a query string may turn into a space) and separators."""
        return queryset.filter(peer__in=peers_matching(value))

    def filter_hold(self, queryset: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        """Messages whose `hold` is of this kind."""
        if value == NUMBER:
            return queryset.filter(hold=None, status=Status.PENDING, number__paused_at__isnull=False)
        return queryset.filter(Q(hold=value) | Q(hold__startswith=f"{value}:"))


class MessageListView(StrictQueries, generics.ListAPIView[Message]):
    """Messages of both directions, newest first."""

    staff_permissions = {"GET": "messaging.view_message"}
    reads_query = ("GET",)
    queryset = Message.objects.select_related("number", "media")
    serializer_class = MessageSerializer
    pagination_class = NewestFirst
    filter_backends = [DjangoFilterBackend]
    filterset_class = MessageFilter

    def scanned_rows(self) -> QuerySet[Message] | None:
        """The rows among which PostgreSQL looks for those that match; None if a filter has an index."""
        parameters = self.request.query_params
        if parameters.keys() & INDEXED_FILTERS or not parameters.keys() & UNINDEXED_FILTERS:
            return None
        times = {name: parameters[name] for name in TIME_FILTERS & parameters.keys()}
        return MessageFilter(times, Message.objects.all()).qs


class MessageDetailView(StrictQueries, generics.RetrieveAPIView[Message]):
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
