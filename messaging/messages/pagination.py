"""Pages of a list of the API by id, newest first, at the same cost however many rows there are."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.pagination import Cursor
from rest_framework.request import Request
from rest_framework.views import APIView

from waproject.web.api.cursor_pages import CursorPages

# 50 ms on one core if none of them matches; a filter that one row in 1,000 matches still fills its page.
SCANNED = 50_000
LAST_ID = 2**128 - 1


@runtime_checkable
class ScanningView(Protocol):
    """A view that names the rows among which a page looks for those that match."""

    def scanned_rows(self) -> QuerySet[Any] | None:
        """None if an index finds the matches."""


class NewestFirst(CursorPages):
    """Pages by id, which sorts by time.

    A view may have `scanned_rows()`: the rows among which the database looks for those that match if no index helps,
    or None. One page looks at SCANNED of them, so it may have fewer rows than asked for, or none, and yet a next page.
    """

    ordering = "-id"

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """One page. Raises ValidationError for unknown query parameters."""
        self._scanned_to: Cursor | None = None
        scanned = view.scanned_rows() if isinstance(view, ScanningView) else None
        if scanned is not None and isinstance(queryset, QuerySet):
            queryset = self._bounded(queryset, scanned, self.decode_cursor(request))
        return super().paginate_queryset(queryset, request, view)

    def get_next_link(self) -> str | None:
        """The page of older rows; a scan continues where it ended."""
        return self._link(super().get_next_link, reverse=False, has_more=self.has_next, step=1)

    def get_previous_link(self) -> str | None:
        """The page of newer rows."""
        return self._link(super().get_previous_link, reverse=True, has_more=self.has_previous, step=-1)

    def _link(
        self, of_rows: Callable[[], str | None], *, reverse: bool, has_more: bool | None, step: int
    ) -> str | None:
        """`of_rows()`, but for pages with less than the scan could find. `step` turns "before" into "up to"."""
        if not has_more and self._scanned_to and self._scanned_to.reverse == reverse:
            return self.encode_cursor(self._scanned_to)
        if has_more and not self.page and self.cursor is not None and self.cursor.position is not None:
            # The way back from an empty page: the row at which the page before it ended is among those to be shown.
            back = UUID(int=min(max(UUID(str(self.cursor.position)).int + step, 0), LAST_ID))
            return self.encode_cursor(_cursor(back, reverse=reverse))
        return of_rows()

    def _bounded(self, matching: QuerySet[Any], scanned: QuerySet[Any], cursor: Cursor | None) -> QuerySet[Any]:
        """Those of the next SCANNED rows that match."""
        newer = cursor is not None and cursor.reverse
        if cursor is not None and cursor.position is not None:
            scanned = scanned.filter(**{"id__gt" if newer else "id__lt": cursor.position})
        last = end_of_scan(scanned.order_by("id" if newer else "-id"))
        if last is None:
            return matching
        self._scanned_to = _cursor(last, reverse=newer)
        return matching.filter(**{"id__lte" if newer else "id__gte": last})

    def is_position(self, text: str) -> bool:
        """Whether the text is an id."""
        try:
            UUID(text)
        except ValueError:
            return False
        return True


def end_of_scan(ordered: QuerySet[Any]) -> UUID | None:
    """The id of the last of SCANNED rows; None if there are fewer."""
    return next(iter(ordered.values_list("id", flat=True)[SCANNED - 1 : SCANNED]), None)


def _cursor(position: UUID, *, reverse: bool) -> Cursor:
    return Cursor(offset=0, reverse=reverse, position=str(position))  # type: ignore[arg-type]  # it is a string
