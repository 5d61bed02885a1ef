"""CSV export of messages, read in chunks by short queries, so that no snapshot holds back vacuum.

Phone numbers are digits without the plus, as in the API, so no number looks like a formula.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import QuerySet

from messaging.models import Message

COLUMNS = {
    "id": "id",
    "created_at": "created_at",
    "at": "at",
    "direction": "direction",
    "status": "status",
    "phone_number": "peer",
    "sender": "number__phone_number_id",
    "type": "type",
    "template": "template",
    "text": "text",
    "error_code": "error_code",
    "error_title": "error_title",
    "reference": "reference",
    "campaign": "campaign",
    "wamid": "wamid",
}
CHUNK = 2000
# The characters that start a formula in a spreadsheet (OWASP, "CSV Injection"), in every width. They may follow blanks
# and quotes, and every character that starts a cell in some locale: Excel splits at semicolons if the comma is decimal.
_FORMULA = re.compile(
    r"(^|[;\t\r\n])([\s\u200b-\u200f\ufeff\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])"
)


class _Line:
    """A file for csv.writer whose write returns the line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: QuerySet[Message]) -> Iterator[str]:
    """The header and one line per message, newest first. The byte order mark makes Excel read UTF-8."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for chunk in _chunks(rows):
        yield "".join(writer.writerow([_cell(value) for value in row]) for row in chunk)


def _chunks(rows: QuerySet[Message]) -> Iterator[Sequence[tuple[object, ...]]]:
    """Chunks by descending id; each is a query of its own."""
    rows = rows.order_by("-id")
    while chunk := list(rows.values_list(*COLUMNS.values())[:CHUNK]):
        yield chunk
        rows = rows.filter(id__lt=chunk[-1][0])


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    # In some programs a leading tab or line break shifts the cell.
    return _FORMULA.sub(r"\1'\2", f"'{value}" if value.startswith(("\t", "\r", "\n")) else value)
