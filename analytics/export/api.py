"""`GET /analytics/export`: facts of single messages, streamed as CSV or Parquet."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from analytics.export.facts import COLUMNS, Fact, facts
from analytics.export.parquet import parquet_parts, pyarrow
from analytics.questions import MAY_SEE, PeriodQuery, read_question
from waproject.web.api.strict_fields import ChoiceField
from waproject.web.api.views import StrictQueries
from waproject.web.csv_cells import MARK, line_writer

CSV, PARQUET = "csv", "parquet"
TYPES = {CSV: "text/csv; charset=utf-8", PARQUET: "application/vnd.apache.parquet"}
NO_PYARROW = "Parquet needs the package pyarrow in the web process. CSV does not."


class ExportQuery(PeriodQuery):
    """A period, filters and the file's format."""

    format = ChoiceField(list(TYPES), required=False, default=CSV, help_text="CSV unless said otherwise.")


class _Always(BaseContentNegotiation):
    """Ignores `Accept`: the parameter chooses the format, and errors are JSON."""

    def select_parser(self, request: Any, parsers: Iterable[Any]) -> Any:
        """There is no body."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Any, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first."""
        first = next(iter(renderers))
        return first, first.media_type


class ExportView(StrictQueries):
    """Streams a row for each message. A client's key exports its own client's messages unless it is an operator's."""

    staff_permissions = {"GET": MAY_SEE}
    reads_query = ("GET",)
    renderer_classes = [JSONRenderer]
    content_negotiation_class = _Always

    @extend_schema(
        parameters=[ExportQuery],
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A header, and a line for each message."),
            (200, "application/vnd.apache.parquet"): OpenApiResponse(OpenApiTypes.BINARY, description="The same."),
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The file."""
        question, others = read_question(request, ExportQuery)
        chosen = others["format"]
        if chosen == PARQUET and pyarrow() is None:
            raise ValidationError({"format": [NO_PYARROW]})
        parts: Iterator[bytes] = parquet_parts(facts(question)) if chosen == PARQUET else csv_parts(facts(question))
        answer = StreamingHttpResponse(parts, content_type=TYPES[chosen])
        since, until = (f"{question.period.local(at):%Y%m%d}" for at in (question.period.since, question.period.until))
        answer["Content-Disposition"] = f'attachment; filename="messages-{since}-{until}.{chosen}"'
        answer["Cache-Control"] = "no-store"
        return answer


def csv_parts(chunks: Iterator[Sequence[Fact]]) -> Iterator[bytes]:
    """The header, and a part for each chunk."""
    line = line_writer()
    yield (MARK + line(COLUMNS)).encode()
    for chunk in chunks:
        yield "".join(line(row) for row in chunk).encode()
