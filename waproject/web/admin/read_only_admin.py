"""Read-only admin pages that never count a large table."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest

from waproject.web.admin.themed_admin import ModelAdmin, TabularInline
from waproject.web.statement_timeout import timed_out

# 200 pages; older rows are found by filter or search.
MAX_COUNTED = 10_000
COUNT_TIMEOUT_MS = 300


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most 10,000 rows and for at most 300 ms.

    Counting the matches of a selective filter may read the whole table. On a timeout the list shows 10,000, and the
    pages beyond the last row are empty.
    """

    @cached_property
    def count(self) -> int:
        """At most MAX_COUNTED."""
        rows = self.object_list.order_by()[:MAX_COUNTED]  # type: ignore[attr-defined]  # the admin gives a QuerySet
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(COUNT_TIMEOUT_MS)])
                counted: int = rows.count()
                # Restores the timeout, also within a transaction of the caller.
                transaction.set_rollback(True)
                return counted
        except OperationalError as error:
            if not timed_out(error):
                raise
            return MAX_COUNTED


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """An admin page that shows rows and never edits them."""

    paginator = BoundedPaginator
    # It would need a second count, without the filters.
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
    """Read-only rows on an object's page."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
