"""CSV export of messages, read in chunks by short queries, so that no snapshot holds back vacuum.

Phone numbers are digits without the plus, as in the API, so no number looks like a formula.
"""

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from messaging.models import Message
from waproject.web.csv_cells import MARK, line_writer

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


def csv_lines(rows: QuerySet[Message]) -> Iterator[str]:
    """The header and one line per message, newest first."""
    line = line_writer()
    yield MARK + line(COLUMNS)
    for chunk in _chunks(rows):
        yield "".join(line(row) for row in chunk)


def _chunks(rows: QuerySet[Message]) -> Iterator[Sequence[tuple[object, ...]]]:
    """Chunks by descending id; each is a query of its own."""
    rows = rows.order_by("-id")
    while chunk := list(rows.values_list(*COLUMNS.values())[:CHUNK]):
        yield chunk
        rows = rows.filter(id__lt=chunk[-1][0])
