"""`/messaging/subscriptions` and `/messaging/deliveries`."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.access import Conflict, client_of
from messaging.messages import TIME_FILTERS, CreatedFilterSet, NewestFirst, one_of
from messaging.models import Delivery, EventType, Subscription
from messaging.models.subscriptions import delivery_states
from messaging.subscriber_http.ssrf_guard import AddressNotAllowed
from messaging.subscriptions.changes import (
    ContentDeleted,
    SubscriptionInactive,
    TooManySubscriptions,
    change,
    replay,
    replay_failed,
    rotate,
    send_test,
    subscribe,
    unsubscribe,
)
from messaging.subscriptions.serializers import (
    DeliverySerializer,
    DetailSerializer,
    ReplayedSerializer,
    SecretSerializer,
    SinceSerializer,
    SubscriptionSerializer,
)
from waproject.web.api.views import StrictQueries

NOT_FOUND = OpenApiResponse(DetailSerializer, "No subscription of yours has this id.")
INACTIVE = OpenApiResponse(DetailSerializer, "The subscription is inactive.")
PENDING = OpenApiResponse(
    DetailSerializer, "The delivery is pending, the content of its message is deleted, or the subscription is inactive."
)
EVENTS = [(event.value, event.value) for event in EventType]


def subscriptions_of(request: Request) -> QuerySet[Subscription]:
    """The subscriptions of the calling client; all of them for staff."""
    rows = Subscription.objects.filter(deleted_at=None).select_related("number")
    client = client_of(request)
    return rows if client is None else rows.filter(client=client)


def _own_subscription(request: Request, pk: UUID) -> Subscription:
    row = subscriptions_of(request).filter(pk=pk).first()
    if row is None:
        raise NotFound("No subscription of yours has this id.")
    return row


class SubscriptionListView(StrictQueries, generics.ListAPIView[Subscription]):
    """List and create subscriptions."""

    staff_permissions = {"GET": "messaging.view_subscription", "POST": "messaging.add_subscription"}
    reads_query = ("GET",)
    serializer_class = SubscriptionSerializer
    pagination_class = NewestFirst
    queryset = Subscription.objects.none()  # for the OpenAPI description

    def get_queryset(self) -> QuerySet[Subscription]:
        """The caller's subscriptions."""
        return subscriptions_of(self.request)

    @extend_schema(request=SubscriptionSerializer, responses={201: SecretSerializer, 400: dict})
    def post(self, request: Request) -> Response:
        """Create a subscription. Only this answer has the `secret` that verifies deliveries."""
        given = SubscriptionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            row = subscribe(who=str(request.user), client=client_of(request), **given.validated_data)
        except TooManySubscriptions as error:
            raise ValidationError({"detail": str(error)}) from None
        except AddressNotAllowed as error:  # the name has another address than at the validation
            raise ValidationError({"url": [str(error)]}) from None
        return Response(SecretSerializer(row).data, status=201)


class SubscriptionView(StrictQueries):
    """One subscription."""

    staff_permissions = {
        "GET": "messaging.view_subscription",
        "PATCH": "messaging.change_subscription",
        "DELETE": "messaging.delete_subscription",
    }

    @extend_schema(responses={200: SubscriptionSerializer, 404: NOT_FOUND})
    def get(self, request: Request, pk: UUID) -> Response:
        """The subscription, without its secret."""
        return Response(SubscriptionSerializer(_own_subscription(request, pk)).data)

    @extend_schema(request=SubscriptionSerializer, responses={200: SubscriptionSerializer, 400: dict, 404: NOT_FOUND})
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change the given fields. `active: true` activates it again and resets its failures."""
        row = _own_subscription(request, pk)
        given = SubscriptionSerializer(row, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        try:
            change(row, str(request.user), **given.validated_data)
        except AddressNotAllowed as error:
            raise ValidationError({"url": [str(error)]}) from None
        return Response(SubscriptionSerializer(row).data)

    @extend_schema(responses={204: None, 404: NOT_FOUND})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete the subscription and its deliveries."""
        unsubscribe(_own_subscription(request, pk), str(request.user))
        return Response(status=204)


class RotateView(StrictQueries):
    """Rotate the secret of a subscription."""

    staff_permissions = {"POST": "messaging.change_subscription"}
    takes_no_body = True

    @extend_schema(request=None, responses={200: SecretSerializer, 404: NOT_FOUND})
    def post(self, request: Request, pk: UUID) -> Response:
        """The subscription with its new `secret`, shown once. The old one signs too, until `previous_secret_until`."""
        row = _own_subscription(request, pk)
        rotate(row, str(request.user))
        return Response(SecretSerializer(row).data)


class SendTestView(StrictQueries):
    """Send a test event to the endpoint."""

    staff_permissions = {"POST": "messaging.change_subscription"}
    takes_no_body = True

    @extend_schema(request=None, responses={202: DeliverySerializer, 404: NOT_FOUND, 409: INACTIVE})
    def post(self, request: Request, pk: UUID) -> Response:
        """202 with the delivery of a `subscription.test` event; read the delivery later to see its result."""
        try:
            delivery = send_test(_own_subscription(request, pk), str(request.user))
        except SubscriptionInactive as error:
            raise Conflict(str(error)) from None
        return Response(DeliverySerializer(delivery).data, status=202)


class ReplayFailedView(StrictQueries):
    """Replay the failed deliveries of a subscription."""

    staff_permissions = {"POST": "messaging.change_subscription"}

    @extend_schema(
        request=SinceSerializer, responses={202: ReplayedSerializer, 400: dict, 404: NOT_FOUND, 409: INACTIVE}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Queue the failed deliveries created at or after `since` again: the oldest 10,000."""
        row = _own_subscription(request, pk)
        given = SinceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            done = replay_failed(row, given.validated_data["since"], str(request.user))
        except SubscriptionInactive as error:
            raise Conflict(str(error)) from None
        return Response({"replayed": done}, status=202)


class DeliveryFilter(CreatedFilterSet):
    """?state=, event=, created_after=, created_before="""

    state = django_filters.MultipleChoiceFilter(choices=delivery_states(), error_messages=one_of(delivery_states()))
    event = django_filters.ChoiceFilter(choices=EVENTS, error_messages=one_of(EVENTS))

    class Meta:
        model = Delivery
        fields: list[str] = []


class DeliveryListView(StrictQueries, generics.ListAPIView[Delivery]):
    """The deliveries of a subscription, newest first, with their attempts. Kept for 7 days, failed ones for 30."""

    staff_permissions = {"GET": "messaging.view_delivery"}
    reads_query = ("GET",)
    serializer_class = DeliverySerializer
    pagination_class = NewestFirst
    filter_backends = [DjangoFilterBackend]
    filterset_class = DeliveryFilter
    queryset = Delivery.objects.none()  # for the OpenAPI description

    def get_queryset(self) -> QuerySet[Delivery]:
        """The deliveries of one of the caller's subscriptions. Raises NotFound for any other."""
        return Delivery.objects.filter(subscription=_own_subscription(self.request, self.kwargs["pk"]))

    def scanned_rows(self) -> QuerySet[Delivery] | None:
        """The rows among which PostgreSQL looks for those that match; None without a filter by state or event."""
        parameters = self.request.query_params
        if not parameters.keys() & {"state", "event"}:
            return None
        times = {name: parameters[name] for name in TIME_FILTERS & parameters.keys()}
        return DeliveryFilter(times, self.get_queryset()).qs


class DeliveryView(StrictQueries):
    """One delivery."""

    staff_permissions = {"GET": "messaging.view_delivery"}

    @extend_schema(responses={200: DeliverySerializer, 404: NOT_FOUND})
    def get(self, request: Request, pk: UUID) -> Response:
        """The delivery and its attempts."""
        return Response(DeliverySerializer(_delivery(request, pk)).data)


class ReplayView(StrictQueries):
    """Replay one delivery."""

    staff_permissions = {"POST": "messaging.change_subscription"}
    takes_no_body = True

    @extend_schema(request=None, responses={202: DeliverySerializer, 404: NOT_FOUND, 409: PENDING})
    def post(self, request: Request, pk: UUID) -> Response:
        """The delivery, `pending` again, under the same `webhook-id`."""
        delivery = _delivery(request, pk)
        try:
            done = replay(delivery, str(request.user))
        except (SubscriptionInactive, ContentDeleted) as error:
            raise Conflict(str(error)) from None
        if not done:
            raise Conflict("The delivery is still pending.")
        return Response(DeliverySerializer(delivery).data, status=202)


def _delivery(request: Request, pk: UUID) -> Any:
    row = Delivery.objects.filter(pk=pk, subscription__in=subscriptions_of(request)).select_related("subscription")
    delivery = row.first()
    if delivery is None:
        raise NotFound("No delivery of yours has this id.")
    return delivery
