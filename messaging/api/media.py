"""`GET /messaging/messages/{id}/media`: the file of a message."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.media_serving import NotInStorage, serve
from messaging.media_states import State
from messaging.models import Media, Message
from messaging.serializers import NoFileSerializer

# Most files come within seconds.
COMES_IN_S = 5


class AnyType(DefaultContentNegotiation):
    """The file has the type that it has, whatever a client says it accepts; errors are JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON, for errors."""
        return JSONRenderer(), JSONRenderer.media_type


class MediaView(APIView):
    """The file that came with a message."""

    content_negotiation_class = AnyType

    @extend_schema(
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="`bytes=0-1023`")],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="It is the one of `If-None-Match`."),
            404: OpenApiResponse(NoFileSerializer, "No such message, or no file with it, or it has not come yet."),
            410: OpenApiResponse(NoFileSerializer, "It will not come: see the message's `media`."),
            416: OpenApiResponse(description="The range is not within the file."),
        },
    )
    def get(self, request: Request, pk: UUID) -> Response | HttpResponseBase:
        """As Meta delivered it, streamed. A file that will come soon is a 404 with `Retry-After`."""
        media = Media.objects.filter(pk=pk).first()
        if media is None:
            there = Message.objects.filter(pk=pk).exists()
            raise NotFound("The message has no file." if there else "No message has this id.")
        if media.state == State.STORED:
            try:
                return serve(request._request, media)
            except NotInStorage:
                return Response({"detail": "The storage does not have it any more.", "state": media.state}, status=410)
        if media.state == State.WAITING:
            detail = "The file is not here yet."
            return Response({"detail": detail, "state": media.state}, 404, headers={"Retry-After": str(COMES_IN_S)})
        return Response({"detail": f"The file will not come. {media.error}", "state": media.state}, status=410)
