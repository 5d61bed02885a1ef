"""Cells of CSV files that no spreadsheet takes for a formula."""

import csv
import re
from collections.abc import Callable, Iterable
from datetime import datetime

# The byte order mark makes Excel read UTF-8.
MARK = "\ufeff"
# The characters that start a formula in a spreadsheet (OWASP, "CSV Injection"), in every width. They may follow blanks
# and quotes, and every character that starts a cell in some locale: Excel splits at semicolons if the comma is decimal.
_FORMULA = re.compile(
    r"(^|[;\t\r\n])([\s\u200b-\u200f\ufeff\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])"
)


class _Line:
    """A file for csv.writer whose write returns the line."""

    def write(self, line: str) -> str:
        return line


def line_writer() -> Callable[[Iterable[object]], str]:
    """A function from the values of a row to its line, each value as `cell` makes it."""
    writer = csv.writer(_Line())
    return lambda row: writer.writerow([cell(value) for value in row])


def cell(value: object) -> object:
    """A value as a cell: times in ISO 8601, and a quote before what a spreadsheet would calculate."""
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    # In some programs a leading tab or line break shifts the cell.
    return _FORMULA.sub(r"\1'\2", f"'{value}" if value.startswith(("\t", "\r", "\n")) else value)
