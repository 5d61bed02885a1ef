"""The base of all API views."""

from collections.abc import Collection
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from waproject.web.api.strict_fields import refuse_unknown_parameters


class StrictQueries(APIView):
    """Refuses unknown query parameters: `?estimat=true` must not send."""

    query_parameters: Collection[str] = ()
    # The methods whose code checks the query itself.
    reads_query: Collection[str] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the query after the caller's permission. Raises ValidationError."""
        super().initial(request, *args, **kwargs)
        if request.META.get("QUERY_STRING") and request.method not in self.reads_query:
            refuse_unknown_parameters(request, self.query_parameters)
