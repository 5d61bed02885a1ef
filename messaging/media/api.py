"""`GET /messaging/messages/{id}/media` and `POST /messaging/media`."""

import threading
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.accepting import UnknownNumber, sending_number
from messaging.accounts import token_name_of
from messaging.media.download import media_api
from messaging.media.serializers import NoFileSerializer, UploadedSerializer, UploadSerializer
from messaging.media.serve import FileMissing, StorageUnavailable, serve
from messaging.media_states import State
from messaging.models import Media, Message
from messaging.whatsapp.media import UPLOAD_KEPT_FOR_DAYS, NotSendable, check_upload, sendable_type
from messaging.whatsapp.media_api import MediaApi, MediaError, TransferFailure
from waproject.web.api.errors import unavailable
from waproject.web.api.views import StrictQueries

# Most files arrive within seconds.
RETRY_AFTER_S = 5
# Concurrent uploads of one process: each occupies a thread during its transfer, and webhooks need threads too.
UPLOADS_AT_ONCE = 4
UPLOAD_AGAIN_IN_S = 10
_uploads = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
_UNAVAILABLE_TEXTS = {
    TransferFailure.MISCONFIGURED: "Meta refuses uploads from this deployment: an operator must check its set-up.",
    TransferFailure.THROTTLED: "Meta throttles uploads.",
}


class JsonErrors(DefaultContentNegotiation):
    """Ignores `Accept`: the file keeps its own type, and errors are JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON, used for errors."""
        return JSONRenderer(), JSONRenderer.media_type


class MediaView(StrictQueries):
    """The file of a message."""

    staff_permissions = {"GET": "messaging.view_message"}
    content_negotiation_class = JsonErrors

    @extend_schema(
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="`bytes=0-1023`")],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The file matches `If-None-Match`."),
            404: OpenApiResponse(
                NoFileSerializer, "No message has this id, it has no file, or the file is not stored yet."
            ),
            410: OpenApiResponse(NoFileSerializer, "The download has failed, or the file was deleted: see `state`."),
            416: OpenApiResponse(description="The range is not within the file."),
            503: OpenApiResponse(NoFileSerializer, "The storage of files is not available: see `Retry-After`."),
        },
    )
    def get(self, request: Request, pk: UUID) -> Response | HttpResponseBase:
        """The file as Meta delivered it, streamed. 404 with `Retry-After` while the download is pending."""
        media = Media.objects.filter(pk=pk).first()
        if media is None:
            exists = Message.objects.filter(pk=pk).exists()
            raise NotFound("The message has no file." if exists else "No message has this id.")
        if media.state == State.STORED:
            try:
                return serve(request._request, media)
            except FileMissing:
                return Response(
                    {"detail": "The file has been removed from the storage.", "state": media.state}, status=410
                )
            except StorageUnavailable as error:
                return unavailable(str(error))
        if media.state == State.WAITING:
            detail = "The file is not stored yet."
            return Response({"detail": detail, "state": media.state}, 404, headers={"Retry-After": str(RETRY_AFTER_S)})
        if media.state == State.DELETED:
            detail = "The file was deleted, by retention or with the person."
        else:
            detail = f"The download has failed. {media.error}"
        return Response({"detail": detail, "state": media.state}, status=410)


class UploadView(StrictQueries):
    """Upload a file to Meta, for use in messages."""

    staff_permissions = {"POST": "messaging.add_message"}
    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: UploadedSerializer,
            400: OpenApiResponse(description="Invalid, or of a type or size that no message can carry; by field."),
            413: OpenApiResponse(description="The body is over 101 MiB."),
            503: OpenApiResponse(NoFileSerializer, "Meta or this process accepts no upload now: see `Retry-After`."),
        },
    )
    def post(self, request: Request) -> Response:
        """201 with the id to use in messages. The file is not stored here; a repeated request makes another upload."""
        given = UploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file, sender = given.validated_data["file"], given.validated_data.get("sender")
        mime_type = sendable_type(given.validated_data.get("type") or file.content_type or "")
        try:
            kind = check_upload(mime_type, file.size)
            number = sending_number(sender)
        except NotSendable as error:
            raise ValidationError({"file": [str(error)]}) from None
        except UnknownNumber as error:
            raise ValidationError({"sender": [str(error)]}) from None
        if not _uploads.acquire(blocking=False):
            return unavailable("Too many concurrent uploads.", UPLOAD_AGAIN_IN_S)
        try:
            media_id = _api(token_name_of(number.waba_id)).upload(number.phone_number_id, file, mime_type, file.name)
        except MediaError as error:
            return _refused(error)
        finally:
            _uploads.release()
        expires_at = timezone.now() + timedelta(days=UPLOAD_KEPT_FOR_DAYS)
        answer = {"id": media_id, "kind": kind, "mime_type": mime_type, "size": file.size, "expires_at": expires_at}
        return Response(UploadedSerializer(answer).data, status=201)


@cache
def _api(token_name: str) -> MediaApi:
    """The client of this process with this token."""
    return media_api(token_name)


def _refused(error: MediaError) -> Response:
    if error.failure in {TransferFailure.REFUSED, TransferFailure.TOO_LARGE}:
        raise ValidationError({"file": [error.text]})
    return unavailable(_UNAVAILABLE_TEXTS.get(error.failure, error.text), max(UPLOAD_AGAIN_IN_S, round(error.wait_s)))
