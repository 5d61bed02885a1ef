"""Read-only admin pages that never count a large table."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest

from waproject.web.themed_admin import ModelAdmin, TabularInline

# Nobody turns to page 200; who looks for an old row filters or searches.
MOST_COUNTED = 10_000
COUNT_TIMEOUT_MS = 300


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to 10,000 and no further, and for a third of a second and no longer.

    A filter that few rows pass would be counted over the whole table all the same; then the list says 10,000 too, and
    the pages beyond the last row are empty.
    """

    @cached_property
    def count(self) -> int:
        """At most MOST_COUNTED."""
        rows = self.object_list.order_by()[:MOST_COUNTED]  # type: ignore[attr-defined]  # the admin gives a QuerySet
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(COUNT_TIMEOUT_MS)])
                counted: int = rows.count()
                # Takes the timeout back, in a transaction of the caller's too.
                transaction.set_rollback(True)
                return counted
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != "57014":  # query_canceled
                raise
            return MOST_COUNTED


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """History is shown, never edited."""

    paginator = BoundedPaginator
    # The count without the filters would be one more.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[type-arg]
    """Rows of the history of one thing."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
