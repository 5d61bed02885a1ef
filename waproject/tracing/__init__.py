"""Traces, by OpenTelemetry where OTEL_EXPORTER_OTLP_ENDPOINT is set; nothing of it is imported otherwise.

A context travels as its `traceparent` (W3C Trace Context): in a task's headers, and in a message's row.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Protocol

from waproject.logs.throttle import LogThrottle

logger = logging.getLogger(__name__)

HEADER = "traceparent"
# "00-<32 hex digits of the trace>-<16 of the span>-<2 of flags>"
TRACEPARENT_LENGTH = 55
# What OpenTelemetry's propagators may add to a task's headers.
HEADERS = (HEADER, "tracestate", "baggage")


class Tracer(Protocol):
    """The tracer that set_up installs."""

    def current(self) -> str | None:
        """The traceparent of the span under way."""

    def span(
        self, name: str, parents: Iterable[str | None], server: Mapping[str, Any] | None
    ) -> AbstractContextManager[None]:
        """A span."""


_tracer: Tracer | None = None
_failures = LogThrottle(every=60)


def install(tracer: Tracer | None) -> None:
    """Trace with this tracer; None: do not trace."""
    global _tracer  # noqa: PLW0603 - one per process
    _tracer = tracer


def is_on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def current() -> str | None:
    """The traceparent of the span under way; None where there is none, or this process does not trace."""
    return _tracer.current() if _tracer else None


def span(name: str, parents: Iterable[str | None] = ()) -> AbstractContextManager[None]:
    """A span around work for these contexts: a child of one, linked to several, else a child of the span under way."""
    return _guarded(_tracer.span(name, parents, None)) if _tracer else nullcontext()


def request(name: str, environ: Mapping[str, Any]) -> AbstractContextManager[None]:
    """A span around a request that Django does not see; the caller's context is in its headers."""
    return _guarded(_tracer.span(name, (), environ)) if _tracer else nullcontext()


@contextmanager
def _guarded(entered: AbstractContextManager[None]) -> Iterator[None]:
    """The work continues even if its span cannot begin."""
    with ExitStack() as stack:
        try:
            stack.enter_context(entered)
        except Exception as error:  # of any library: no message may wait for a trace
            if (suppressed := _failures.admit()) is not None:
                logger.error(
                    "a span could not begin: %s (%d more in the last minute)", type(error).__name__, suppressed
                )
        yield


def forget_context(headers: MutableMapping[str, Any]) -> None:
    """Drop the context from the headers of a message that is made like an earlier one."""
    for name in HEADERS:
        headers.pop(name, None)
