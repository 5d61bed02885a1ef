"""Scrubbing of spans before they leave the process: only what is known to hold nothing personal or secret stays."""

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AttributeValue

from waproject.logs.masking import masked

# URLs hold phone numbers, campaigns and tokens; statements may quote rows; so neither is here.
KEPT = frozenset(
    {
        "celery.action", "celery.state", "celery.task_name", "messaging.message.id", "messaging.destination",
        "db.system", "db.system.name", "db.name", "db.namespace", "db.operation.name",
        "http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code",
        "http.scheme", "url.scheme", "http.flavor", "network.protocol.version",
        "rpc.system", "rpc.service", "rpc.method", "aws.region", "cloud.region", "retry_attempts", "aws.request_id",
        "error.type", "exception.type", "waproject.process",
    }
)  # fmt: skip


class Scrubbed(SpanExporter):
    """Passes scrubbed copies of the spans to another exporter."""

    def __init__(self, then: SpanExporter) -> None:
        self._then = then

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export copies."""
        return self._then.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        """Call the same of the other exporter."""
        self._then.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Call the same of the other exporter."""
        return self._then.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """A copy with a masked name, the attributes of KEPT, and exceptions and errors without their words."""
    return ReadableSpan(
        name=str(masked(span.name)),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_kept(span.attributes),
        events=[Event(str(masked(event.name)), _kept(event.attributes), event.timestamp) for event in span.events],
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kept(attributes: Mapping[str, AttributeValue] | None) -> dict[str, AttributeValue]:
    return {name: _masked(value) for name, value in (attributes or {}).items() if name in KEPT}


def _masked(value: AttributeValue) -> AttributeValue:
    return str(masked(value)) if isinstance(value, str) else value
