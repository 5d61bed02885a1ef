"""Access to monitoring: Prometheus by its own token, staff and operators by permission."""

from django.conf import settings
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.access import Caller, IsApiClientOrStaff


class MetricsToken(BaseAuthentication):
    """`Authorization: Bearer $METRICS_TOKEN`, which allows reading the metrics and the details of health."""

    def authenticate(self, request: Request) -> tuple["Scraper", None] | None:
        """A scraper; None if the header has another token, which may be an API key."""
        return (Scraper(), None) if has_metrics_token(request.headers.get("Authorization", "")) else None

    def authenticate_header(self, request: Request) -> str:
        """Makes DRF answer 401 and not 403."""
        return "Bearer"


class Scraper:
    """Prometheus, as the user of a request."""

    is_authenticated = True
    is_staff = False
    is_active = True
    pk = None


class IsScraperClientOrStaff(BasePermission):
    """The metrics token, or any caller that may use the API."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the request may pass."""
        return isinstance(request.user, Scraper) or IsApiClientOrStaff().has_permission(request, view)


REDRIVE = "monitoring.redrive"
READ_IN_FULL = "monitoring.read_dead_letters"


class MayMoveDeadLetters(BasePermission):
    """Staff with the permission, or an API key of an operator: dead-letter queues hold the messages of all clients."""

    message = "Dead-letter queues hold the messages of all clients: this needs an operator's key or account."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the request may pass."""
        if isinstance(request.user, Caller):
            return request.user.client.operator
        return bool(request.user and request.user.is_staff and request.user.has_perm(REDRIVE))


def has_metrics_token(authorization: str) -> bool:
    """Whether a header has the metrics token; an empty setting allows none."""
    keyword, _, given = authorization.partition(" ")
    known = bool(settings.METRICS_TOKEN) and constant_time_compare(given.strip(), settings.METRICS_TOKEN)
    return known and keyword.lower() == "bearer"
