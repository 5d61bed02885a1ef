"""The base of all API views."""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from waproject.web.api.strict_fields import check_parameters

NO_BODY = "This endpoint takes no body."


class StrictQueries(APIView):
    """Refuses query parameters that are unknown, empty or given twice: `?estimat=true` must not send.

    A view that `takes_no_body` refuses one: a hold with `{"until": …}` must not be one without an end.
    """

    query_parameters: Collection[str] = ()
    # The methods whose code checks the query itself.
    reads_query: Collection[str] = ()
    takes_no_body = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check query and body after the caller's permission. Raises ValidationError."""
        super().initial(request, *args, **kwargs)
        if request.META.get("QUERY_STRING") and request.method not in self.reads_query:
            check_parameters(request, self.query_parameters)
        if self.takes_no_body and request.method == "POST" and request.data:
            names = request.data if isinstance(request.data, Mapping) else ["detail"]
            raise ValidationError({str(name)[:100]: [NO_BODY] for name in names})
