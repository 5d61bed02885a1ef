"""A 400 for a query string with NUL, which PostgreSQL cannot store."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from waproject.web.error_pages import bad_request

# The filters of these lists refuse NUL themselves and name the parameter.
NAMED_BY_FILTER = "/messaging/"


class QueryGuardMiddleware:
    """Refuses NUL in the query string: PostgreSQL's texts cannot contain it, and the driver raises on it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or refuse it."""
        query = request.META.get("QUERY_STRING", "")
        if ("%00" in query or "\0" in query) and not request.path.startswith(NAMED_BY_FILTER):
            return bad_request(request, detail="The address holds a NUL character (%00).")
        return self.get_response(request)
