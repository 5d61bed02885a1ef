"""The admin's list of messages, at the same cost however long the history is."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DataError, connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.messages import pagination
from messaging.messages.admin_filters import AcceptedFilter, AttentionFilter, of_age
from messaging.models import Message

PATTERN = "peer__regex"
# Filters without an index, by the beginning of their parameter.
UNINDEXED = (
    *("direction", "status", "priority", "number", "type", "template", "origin", "client", "error_code", PATTERN),
    "pricing",
)
# The analytics page links to the messages of a period: ids hold the time.
BOUNDS = ("id__gte", "id__lt")


class MessageList(ChangeList):
    """A list whose filters have no index shows matches among the newest SCANNED messages of the chosen time.

    `is_partial`: older messages were not looked at.
    """

    is_partial = False

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Message]:
        """The rows of the list."""
        rows = self.matching(request, exclude_parameters)
        if not self._is_scan(request):
            return rows
        age = request.GET.get(AcceptedFilter.parameter_name)
        period = self.root_queryset.filter(**_bounds(request))
        last = pagination.end_of_scan(of_age(period, age).order_by("-id"))
        self.is_partial = last is not None
        return rows.filter(id__gte=last) if last else rows

    @property
    def searched(self) -> str:
        """How many messages were looked at if not all were."""
        return f"{pagination.SCANNED:,}"

    def matching(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Message]:
        """Every message that matches, however old."""
        _refuse_bad_pattern(request.GET.get(PATTERN, ""))
        rows: QuerySet[Message] = super().get_queryset(request, exclude_parameters)
        return rows

    def _is_scan(self, request: HttpRequest) -> bool:
        has_index = self.query or request.GET.get(AttentionFilter.parameter_name)
        return not has_index and any(name.startswith(UNINDEXED) for name in request.GET)


def _bounds(request: HttpRequest) -> dict[str, UUID]:
    """The bounds of the list's ids that are ids."""
    found = {}
    for name in BOUNDS:
        with suppress(ValueError):
            found[name] = UUID(request.GET.get(name, ""))
    return found


def _refuse_bad_pattern(pattern: str) -> None:
    """Raises IncorrectLookupParameters for what PostgreSQL does not take for a regular expression."""
    if not pattern:
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT '' ~ %s", [pattern])
    except (DataError, ValueError) as error:
        raise IncorrectLookupParameters(error) from None
