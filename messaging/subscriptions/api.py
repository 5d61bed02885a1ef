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
from rest_framework.views import APIView

from messaging.access import Conflict, client_of, name_of
from messaging.messages.api import MomentFilter, NewestFirst, one_of
from messaging.models import Delivery, Subscription
from messaging.models.subscriptions import delivery_states
from messaging.subscriptions.manage import (
    SwitchedOff,
    TooMany,
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

NOT_FOUND = OpenApiResponse(DetailSerializer, "No subscription of yours has this id.")
OFF = OpenApiResponse(DetailSerializer, "The subscription is switched off.")
ON_ITS_WAY = OpenApiResponse(DetailSerializer, "It is still on its way, or the subscription is switched off.")


def subscriptions_of(request: Request) -> QuerySet[Subscription]:
    """A client's own; all, for staff."""
    rows = Subscription.objects.filter(deleted_at=None).select_related("number")
    client = client_of(request)
    return rows if client is None else rows.filter(client=client)


def _mine(request: Request, pk: UUID) -> Subscription:
    row = subscriptions_of(request).filter(pk=pk).first()
    if row is None:
        raise NotFound("No subscription of yours has this id.")
    return row


def _who(request: Request) -> str:
    client = client_of(request)
    return name_of(client) if client is not None else str(request.user)


class SubscriptionListView(generics.ListAPIView[Subscription]):
    """Your subscriptions, and new ones."""

    staff_permissions = {"GET": "messaging.view_subscription", "POST": "messaging.add_subscription"}
    serializer_class = SubscriptionSerializer
    pagination_class = NewestFirst
    queryset = Subscription.objects.none()  # for the description

    def get_queryset(self) -> QuerySet[Subscription]:
        """The caller's."""
        return subscriptions_of(self.request)

    @extend_schema(request=SubscriptionSerializer, responses={201: SecretSerializer, 400: dict})
    def post(self, request: Request) -> Response:
        """Subscribe. The answer has the `secret` that verifies deliveries, this once."""
        given = SubscriptionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            row = subscribe(who=_who(request), client=client_of(request), **given.validated_data)
        except TooMany as error:
            raise ValidationError({"detail": str(error)}) from None
        return Response(SecretSerializer(row).data, status=201)


class SubscriptionView(APIView):
    """One subscription."""

    staff_permissions = {
        "GET": "messaging.view_subscription",
        "PATCH": "messaging.change_subscription",
        "DELETE": "messaging.delete_subscription",
    }

    @extend_schema(responses={200: SubscriptionSerializer, 404: NOT_FOUND})
    def get(self, request: Request, pk: UUID) -> Response:
        """How it is, without its secret."""
        return Response(SubscriptionSerializer(_mine(request, pk)).data)

    @extend_schema(request=SubscriptionSerializer, responses={200: SubscriptionSerializer, 400: dict, 404: NOT_FOUND})
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is given. `active: true` switches it on again and forgets its failures."""
        row = _mine(request, pk)
        given = SubscriptionSerializer(row, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        change(row, _who(request), **given.validated_data)
        return Response(SubscriptionSerializer(row).data)

    @extend_schema(responses={204: None, 404: NOT_FOUND})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete it, with its deliveries."""
        unsubscribe(_mine(request, pk), _who(request))
        return Response(status=204)


class RotateView(APIView):
    """A new secret."""

    staff_permissions = {"POST": "messaging.change_subscription"}

    @extend_schema(request=None, responses={200: SecretSerializer, 404: NOT_FOUND})
    def post(self, request: Request, pk: UUID) -> Response:
        """The subscription with its new `secret`, this once. The old one signs too, until `previous_secret_until`."""
        row = _mine(request, pk)
        rotate(row, _who(request))
        return Response(SecretSerializer(row).data)


class SendTestView(APIView):
    """A delivery to try the endpoint with."""

    staff_permissions = {"POST": "messaging.change_subscription"}

    @extend_schema(request=None, responses={202: DeliverySerializer, 404: NOT_FOUND, 409: OFF})
    def post(self, request: Request, pk: UUID) -> Response:
        """The event `subscription.test` is on its way: look at its delivery for what came of it."""
        try:
            delivery = send_test(_mine(request, pk), _who(request))
        except SwitchedOff as error:
            raise Conflict(str(error)) from None
        return Response(DeliverySerializer(delivery).data, status=202)


class ReplayFailedView(APIView):
    """Deliver once more what was given up."""

    staff_permissions = {"POST": "messaging.change_subscription"}

    @extend_schema(request=SinceSerializer, responses={202: ReplayedSerializer, 400: dict, 404: NOT_FOUND, 409: OFF})
    def post(self, request: Request, pk: UUID) -> Response:
        """All failed deliveries of what happened `since` then, oldest first, 10,000 at a time."""
        row = _mine(request, pk)
        given = SinceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            done = replay_failed(row, given.validated_data["since"], _who(request))
        except SwitchedOff as error:
            raise Conflict(str(error)) from None
        return Response({"replayed": done}, status=202)


class DeliveryFilter(django_filters.FilterSet):
    """?state=, event=, created_after=, created_before="""

    state = django_filters.MultipleChoiceFilter(choices=delivery_states(), error_messages=one_of(delivery_states()))
    event = django_filters.CharFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields: list[str] = []


class DeliveryListView(generics.ListAPIView[Delivery]):
    """The deliveries of a subscription, newest first, with every try: kept 7 days, failed ones 30."""

    staff_permissions = {"GET": "messaging.view_delivery"}
    serializer_class = DeliverySerializer
    pagination_class = NewestFirst
    filter_backends = [DjangoFilterBackend]
    filterset_class = DeliveryFilter
    queryset = Delivery.objects.none()  # for the description

    def get_queryset(self) -> QuerySet[Delivery]:
        """Of a subscription of the caller's; 404 for another."""
        return Delivery.objects.filter(subscription=_mine(self.request, self.kwargs["pk"]))


class DeliveryView(APIView):
    """One delivery."""

    staff_permissions = {"GET": "messaging.view_delivery"}

    @extend_schema(responses={200: DeliverySerializer, 404: NOT_FOUND})
    def get(self, request: Request, pk: UUID) -> Response:
        """Where it is, and every try."""
        return Response(DeliverySerializer(_delivery(request, pk)).data)


class ReplayView(APIView):
    """Deliver one once more."""

    staff_permissions = {"POST": "messaging.change_subscription"}

    @extend_schema(request=None, responses={202: DeliverySerializer, 404: NOT_FOUND, 409: ON_ITS_WAY})
    def post(self, request: Request, pk: UUID) -> Response:
        """The delivery, `pending` again, under the same `webhook-id`."""
        delivery = _delivery(request, pk)
        try:
            done = replay(delivery, _who(request))
        except SwitchedOff as error:
            raise Conflict(str(error)) from None
        if not done:
            raise Conflict("It is still on its way.")
        return Response(DeliverySerializer(delivery).data, status=202)


def _delivery(request: Request, pk: UUID) -> Any:
    row = Delivery.objects.filter(pk=pk, subscription__in=subscriptions_of(request)).select_related("subscription")
    delivery = row.first()
    if delivery is None:
        raise NotFound("No delivery of yours has this id.")
    return delivery
