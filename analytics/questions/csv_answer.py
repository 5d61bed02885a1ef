"""Answers as CSV: their rows, with nested values in columns of their own."""

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from waproject.web.csv_cells import MARK, line_writer


class CsvRenderer(BaseRenderer):
    """The `rows` of an answer, one a line; `{"rates": {"read": 0.5}}` is the column `rates_read`."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        """The file. An answer without rows is empty."""
        return "".join(csv_of(data["rows"]))


def csv_of(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    """The header and the lines of rows that all have the same keys."""
    line = line_writer()
    yield MARK
    for n, row in enumerate(rows):
        cells = dict(_cells(row))
        if n == 0:
            yield line(cells)
        yield line(cells.values())


def _cells(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _cells(value, f"{prefix}{name}_")
        else:
            yield prefix + name, value
