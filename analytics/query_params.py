"""Query parameters, validated as strictly as a body."""

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from waproject.web.api.strict_fields import check_parameters


def read_query(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """The values of a request's parameters.

    Raises ValidationError for parameters that are unknown, given twice, empty or wrong.
    """
    query = serializer(data=request.query_params.dict())
    check_parameters(request, query.fields)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)
