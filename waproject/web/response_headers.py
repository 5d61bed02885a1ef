"""Response headers: a Content-Security-Policy, and no caching of personal data."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def _policy(scripts: str, styles: str) -> str:
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            f"style-src {styles}",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


STRICT = _policy("'self'", "'self'")
# The theme's Alpine.js evaluates the attributes of its own pages, and hides parts by style attributes.
ADMIN = _policy("'self' 'unsafe-eval'", "'self' 'unsafe-inline'")
# Swagger UI and DRF's browsable pages have style elements and attributes.
STYLED = _policy("'self'", "'self' 'unsafe-inline'")


class ResponseHeadersMiddleware:
    """A Content-Security-Policy on pages, and `Cache-Control: no-store`, where a view has not set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer it, with the headers."""
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", content_security_policy(request, response))
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def content_security_policy(request: HttpRequest, response: HttpResponse) -> str:
    """The strictest policy under which the page works: errors have a page of ours, also in the admin."""
    route = request.resolver_match
    if route and "admin" in route.app_names and response.status_code < HTTPStatus.BAD_REQUEST:
        return ADMIN
    if (route and route.url_name == "docs") or hasattr(response, "accepted_renderer"):
        return STYLED
    return STRICT
