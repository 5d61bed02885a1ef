"""Nothing personal leaves in a span, whatever an instrumentation puts into it."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from waproject.tracing.scrubbing import Scrubbed

PRIVATE: dict[str, str | int] = {
    "http.url": "https://graph.facebook.com/v25.0/106540352242922/messages?access_token=EAAxyz",
    "http.target": "/messaging/messages?phone_number=15551230001",
    "url.full": "https://x/15551230001",
    "db.statement": "SELECT 'Hello Ann'",
    "db.query.text": "SELECT 'Hello Ann'",
    "http.user_agent": "Ann's phone",
    "net.peer.ip": "203.0.113.7",
    "client.address": "203.0.113.7",
    "celery.hostname": "15551230001@host",
    "messaging.conversation_id": "15551230001",
    "some.future.attribute": "Ann",
}
HARMLESS: dict[str, str | int] = {
    "http.method": "GET",
    "http.route": "messaging/messages",
    "http.status_code": 200,
    "db.system": "postgresql",
}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(Scrubbed(exporter)))
    return made


def test_attributes_that_may_be_private_are_dropped(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    with provider.get_tracer("x").start_as_current_span("GET", attributes=PRIVATE | HARMLESS):
        pass
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {}) == HARMLESS


def test_a_harmless_attribute_with_a_number_in_it_is_masked(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with provider.get_tracer("x").start_as_current_span("GET /15551230001", attributes={"http.route": "/+15551230001"}):
        pass
    assert "1555123" not in exporter.get_finished_spans()[0].to_json()


def test_an_exception_is_its_type(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError), provider.get_tracer("x").start_as_current_span("run"):
        raise ValueError("Hello Ann")
    (span,) = exporter.get_finished_spans()
    assert [dict(event.attributes or {}) for event in span.events] == [{"exception.type": "ValueError"}]
    assert (span.status.status_code, "Ann" in span.to_json()) == (StatusCode.ERROR, False)


def test_a_link_keeps_its_context_alone(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    context = SpanContext(1, 2, is_remote=True)
    tracer = provider.get_tracer("x")
    with tracer.start_as_current_span("run", links=[Link(context, {"note": "Ann"})]) as span:
        span.set_status(Status(StatusCode.ERROR, "Hello Ann"))
    (found,) = exporter.get_finished_spans()
    assert [(link.context, dict(link.attributes or {})) for link in found.links] == [(context, {})]
    assert "Ann" not in found.to_json()
