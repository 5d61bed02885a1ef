"""Query parameters, validated as strictly as a body."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from waproject.web.api.strict_fields import refuse_unknown_parameters


def read_query(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """The values of a request's parameters.

    Raises ValidationError for parameters that are unknown, given twice, empty or wrong.
    """
    asked = serializer(data=request.query_params.dict())
    refuse_unknown_parameters(request, asked.fields)
    if twice := [name for name, values in request.query_params.lists() if len(values) > 1]:
        raise ValidationError({name: ["Give it once."] for name in twice})
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
