"""A 400 for a query string that no database can look up."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from waproject.web.error_pages import bad_request

# These lists' filters refuse it themselves, and name the parameter.
NAMED_BY_FILTER = "/messaging/"


class QueryGuardMiddleware:
    """Refuses NUL in the query string: PostgreSQL stores none in a text, and its driver fails on one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        query = request.META.get("QUERY_STRING", "")
        if ("%00" in query or "\0" in query) and not request.path.startswith(NAMED_BY_FILTER):
            return bad_request(request, detail="The address holds a NUL character (%00).")
        return self.get_response(request)
