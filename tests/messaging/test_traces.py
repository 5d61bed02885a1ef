"""The trace contexts of messages, read beside the work that they describe."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from django.db import connection

from messaging.models import Message
from messaging.traces import contexts_of
from tests.messaging.factories import pending
from waproject import tracing

CONTEXT = "00-1-2-01"


class Tracer:
    """Traces are on, and lead nowhere."""

    def current(self) -> str | None:
        return None

    def span(self, name: str, parents: Iterable[str | None], messages: object) -> AbstractContextManager[None]:
        return nullcontext()


@pytest.fixture(autouse=True)
def traces() -> Iterator[None]:
    tracing.install(Tracer())
    yield
    tracing.install(None)


@pytest.mark.django_db
def test_a_message_has_the_context_of_its_request() -> None:
    first, second = pending(2)
    Message.objects.filter(pk=first.pk).update(traceparent=CONTEXT)
    assert contexts_of([first.pk, second.pk]) == {first.pk: CONTEXT}


@pytest.mark.django_db(transaction=True)
def test_what_was_claimed_continues_without_its_trace_when_the_connection_is_gone() -> None:
    (message,) = pending()
    Message.objects.update(traceparent=CONTEXT)
    connection.connection.close()
    try:
        assert contexts_of([message.pk]) == {}
    finally:
        connection.close()
