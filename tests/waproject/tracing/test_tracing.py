"""Traces that are off, and that fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from messaging.accepting.accept import NewMessage, accept
from messaging.incoming.store import receive
from messaging.media.records import claim_media
from messaging.models import BusinessNumber, Message
from messaging.traces import contexts_of
from tests.messaging.bodies import webhook
from waproject import tracing

CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

IMAGE = {
    "from": "15551230001",
    "id": "wamid.1",
    "timestamp": "1700000000",
    "type": "image",
    "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "x"},
}


class Broken:
    """A tracer whose spans cannot begin."""

    def current(self) -> str | None:
        return CONTEXT

    @contextmanager
    def span(self, *_: Any) -> Iterator[None]:
        raise TypeError("unhashable")
        yield


@pytest.fixture
def broken() -> Iterator[None]:
    tracing.install(Broken())
    yield
    tracing.install(None)


def test_no_work_waits_for_a_span_that_cannot_begin(broken: None) -> None:
    done = []
    with tracing.span("release"):
        done.append(1)
    with tracing.request("POST", {}):
        done.append(2)
    assert done == [1, 2]


def test_an_error_of_the_work_is_not_taken_for_one_of_the_span(broken: None) -> None:
    with pytest.raises(KeyError), tracing.span("release"):
        raise KeyError("work")


def new(number: BusinessNumber) -> NewMessage:
    return NewMessage("15551230001", "text", {"body": "Hello"}, number)


@pytest.mark.django_db
def test_a_row_has_no_context_while_traces_are_off(django_assert_num_queries: Any) -> None:
    (row,) = accept([new(BusinessNumber.objects.create(phone_number_id="1"))])
    with django_assert_num_queries(0):
        assert contexts_of([row.pk]) == {}
    row.refresh_from_db()
    assert row.traceparent is None


@pytest.mark.django_db
def test_a_row_keeps_the_context_of_its_request(broken: None) -> None:
    (row,) = accept([new(BusinessNumber.objects.create(phone_number_id="1"))])
    assert contexts_of([row.pk]) == {row.pk: CONTEXT}


@pytest.mark.django_db
def test_an_inbound_message_and_its_file_keep_the_context_of_their_webhook(broken: None) -> None:
    receive(webhook(IMAGE))
    row = Message.objects.get()
    assert row.traceparent == CONTEXT
    assert [(one.message_id, one.traceparent) for one in claim_media(1)] == [(row.pk, CONTEXT)]


@pytest.mark.django_db
def test_an_inbound_message_has_no_context_while_traces_are_off() -> None:
    receive(webhook(IMAGE))
    assert Message.objects.get().traceparent is None
    assert [one.traceparent for one in claim_media(1)] == [None]


def test_a_message_made_like_an_earlier_one_has_no_context_of_that_one() -> None:
    headers = {"task": "t", "traceparent": CONTEXT, "tracestate": "a=b", "baggage": "c=d"}
    tracing.forget_context(headers)
    assert headers == {"task": "t"}
