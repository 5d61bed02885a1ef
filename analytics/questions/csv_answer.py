"""Answers as CSV: their rows, with nested values in columns of their own."""

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from waproject.web.csv_cells import MARK, line_writer


class RowsResponse(Response):
    """An answer with `rows`. `blank` is a row of no group: its columns are the CSV's where there are no rows."""

    def __init__(self, data: dict[str, Any], blank: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.blank = blank


class CsvRenderer(BaseRenderer):
    """The `rows` of a RowsResponse, one a line; `{"rates": {"read": 0.5}}` is the column `rates_read`."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        """The file. An answer without rows is the header alone."""
        response: RowsResponse = (renderer_context or {})["response"]
        return "".join(csv_of(data["rows"], response.blank))


def csv_of(rows: list[Mapping[str, Any]], blank: Mapping[str, Any]) -> Iterator[str]:
    """The header and the lines of rows that all have the keys of `blank`."""
    line = line_writer()
    yield MARK + line(name for name, _ in _cells(blank))
    for row in rows:
        yield line(value for _, value in _cells(row))


def _cells(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _cells(value, f"{prefix}{name}_")
        else:
            yield prefix + name, value
