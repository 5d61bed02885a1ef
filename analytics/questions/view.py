"""The base of views that answer a question: permissions, JSON and CSV, their OpenAPI description."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from analytics.questions.csv_answer import CsvRenderer
from waproject.web.api.strict_fields import FORMAT, allowed
from waproject.web.api.views import StrictQueries

MAY_SEE = "analytics.view_rollup"
FORMATS = ("json", CsvRenderer.format)


class _Negotiation(DefaultContentNegotiation):
    """An unknown `?format=` is a 400 that lists the formats; DRF's own is a 404."""

    def filter_renderers(self, renderers: Sequence[BaseRenderer], format: str) -> list[BaseRenderer]:  # type: ignore[override] # noqa: A002 - DRF's own name
        """Those of that format."""
        if found := [one for one in renderers if one.format == format]:
            return found
        raise ValidationError({FORMAT: [f"Unknown format. {allowed(FORMATS)}"]})


class QuestionView(StrictQueries):
    """Answers with `rows`, as JSON or CSV. A client's key sees its own client's figures unless it is an operator's."""

    staff_permissions = {"GET": MAY_SEE}
    reads_query = ("GET",)
    renderer_classes = [JSONRenderer, BrowsableAPIRenderer, CsvRenderer]
    content_negotiation_class = _Negotiation

    def finalize_response(self, request: Request, response: Any, *args: Any, **options: Any) -> Any:
        """Errors are JSON in any format; a CSV is sent as a download."""
        response = super().finalize_response(request, response, *args, **options)
        if isinstance(getattr(response, "accepted_renderer", None), CsvRenderer):
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                response.accepted_renderer = JSONRenderer()
                response.accepted_media_type = JSONRenderer.media_type
            else:
                name = request.path.strip("/").replace("/", "-")
                response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response


def describe(
    query: type[Serializer[Any]], answer: type[Serializer[Any]]
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """The OpenAPI description of a question's `get`."""
    decorate: Callable[[Callable[..., Response]], Callable[..., Response]] = extend_schema(
        parameters=[query, OpenApiParameter(FORMAT, str, enum=FORMATS, description="JSON unless said otherwise.")],
        responses={
            (200, "application/json"): answer,
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A header, and a line for each row."),
        },
    )
    return decorate
