"""Cursor pages of a list of the API, with strict query parameters."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters import MultipleChoiceFilter
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from waproject.web.api.strict_fields import check_parameters


class CursorPages(CursorPagination):
    """Pages of 50, or of `?page_size=` up to 200. Unknown, empty and doubled query parameters are refused."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """One page. Raises ValidationError for query parameters that are unknown, empty or given twice."""
        filters = getattr(getattr(view, "filterset_class", None), "base_filters", {})
        lists = [name for name, one in filters.items() if isinstance(one, MultipleChoiceFilter)]
        check_parameters(request, [*filters, self.cursor_query_param, self.page_size_query_param], lists)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """The requested page size. Raises ValidationError if it is invalid."""
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= self.max_page_size):
            raise ValidationError({self.page_size_query_param: [f"A whole number from 1 to {self.max_page_size}."]})
        return int(text)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The parameters, with the bounds of the page size."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor. Raises NotFound if we did not issue it."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not self.is_position(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message) from None
        return cursor

    def is_position(self, text: str) -> bool:
        """Whether a cursor of ours may have this position. PostgreSQL takes no NUL."""
        return "\0" not in text
