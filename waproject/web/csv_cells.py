"""Cells of CSV files that no spreadsheet takes for a formula."""

import csv
import re
from collections.abc import Callable, Iterable
from datetime import datetime

# The byte order mark makes Excel read UTF-8.
MARK = "\ufeff"
# The characters that start a formula in a spreadsheet (OWASP, "CSV Injection"), in every width. They may follow blanks
# and quotes, and every character that starts a cell in some locale: Excel splits at semicolons if the comma is decimal.
_SIGN = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]")
# It takes all blanks at once, before a sign or not: one that began anew at each of 65,536 tabs would take a minute.
_START = re.compile(rf"(^|[;\t\r\n])([\s\u200b-\u200f\ufeff\"']*)({_SIGN.pattern}?)")


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
    text = f"'{value}" if value.startswith(("\t", "\r", "\n")) else value
    return _START.sub(_quoted, text) if _SIGN.search(text) else text


def _quoted(start: re.Match[str]) -> str:
    begin, blanks, sign = start.groups()
    return f"{begin}'{blanks}{sign}" if sign else start[0]
