"""OpenTelemetry in this process: its SDK, its own instrumentations, and the spans of our own.

Other OTEL_* variables, such as OTEL_TRACES_SAMPLER and OTEL_SERVICE_NAME, are the SDK's.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from celery import signals
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from waproject import tracing
from waproject.logs.format import process_name
from waproject.sqs.joining import CONTEXTS, MOST_CONTEXTS
from waproject.tracing.scrubbing import Scrubbed

SERVICE = "whatsapp-pipeline"
PROCESS = "waproject.process"
INSTRUMENTATIONS: tuple[Any, ...] = (
    DjangoInstrumentor,
    CeleryInstrumentor,
    Psycopg2Instrumentor,
    RequestsInstrumentor,
    URLLib3Instrumentor,
    BotocoreInstrumentor,
)
_w3c = TraceContextTextMapPropagator()


def set_up(exporter: SpanExporter | None = None) -> None:
    """Trace this process and those that it forks. `exporter` replaces OTLP over HTTP."""
    provider = TracerProvider(resource=Resource({"service.name": SERVICE}).merge(Resource.create()))
    provider.sampler = RootSpanSampler(provider.sampler)
    provider.add_span_processor(NameProcess())
    provider.add_span_processor(BatchSpanProcessor(Scrubbed(exporter or OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    tracing.install(OpenTelemetry(provider.get_tracer("waproject")))
    for instrumentor in INSTRUMENTATIONS:
        instrumentor().instrument()
    # After the instrumentation's own receiver, which begins the span of the task.
    signals.task_prerun.connect(link_joined, weak=False)


class OpenTelemetry:
    """The Tracer of waproject.tracing."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def current(self) -> str | None:
        """The traceparent of the span under way, sampled or not."""
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return carrier.get(tracing.HEADER)

    @contextmanager
    def span(self, name: str, parents: Iterable[str | None], server: Mapping[str, Any] | None) -> Iterator[None]:
        """A span; see waproject.tracing.span."""
        contexts = [one for one in map(_span_context, dict.fromkeys(parents)) if one]
        kind, parent, links = SpanKind.INTERNAL, None, None
        if server is not None:
            kind = SpanKind.SERVER
            parent = _w3c.extract({tracing.HEADER: str(server.get("HTTP_TRACEPARENT", ""))})
        elif len(contexts) == 1:
            parent = trace.set_span_in_context(trace.NonRecordingSpan(contexts[0]))
        elif contexts:
            links = [Link(one) for one in contexts[:MOST_CONTEXTS]]
        with self._tracer.start_as_current_span(name, parent, kind, links=links):
            yield


class RootSpanSampler(Sampler):
    """Samples traces that begin with a request, a task or a span of ours; a poll of the database begins none."""

    def __init__(self, then: Sampler) -> None:
        self._then = then

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self, parent_context: context.Context | None, trace_id: int, name: str, kind: SpanKind | None = None,
        attributes: Any = None, links: Any = None, trace_state: Any = None,
    ) -> SamplingResult:  # fmt: skip
        """The configured sampler's decision, except for calls outside of any trace."""
        parent = trace.get_current_span(parent_context).get_span_context()
        if kind is SpanKind.CLIENT and not parent.is_valid:
            return SamplingResult(Decision.DROP)
        return self._then.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """For OpenTelemetry's own log lines."""
        return f"RootSpanSampler({self._then.get_description()})"


class NameProcess(SpanProcessor):
    """Adds the process's line of the Procfile to each span."""

    def on_start(self, span: Span, parent_context: context.Context | None = None) -> None:
        """Called for each span that is recorded."""
        span.set_attribute(PROCESS, process_name() or "web")

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing."""


def link_joined(task: Any = None, **_: Any) -> None:
    """Link the span of a joined task to the cause of each of its messages."""
    found = task.request.get(CONTEXTS)
    if isinstance(found, list):
        span = trace.get_current_span()
        for one in filter(None, map(_span_context, found[:MOST_CONTEXTS])):
            span.add_link(one)


def _span_context(traceparent: object) -> SpanContext | None:
    """The span context of a traceparent; None if it is malformed: anyone who may write to the queue can write it."""
    if not isinstance(traceparent, str):
        return None
    found = trace.get_current_span(_w3c.extract({tracing.HEADER: traceparent})).get_span_context()
    return found if found.is_valid else None
