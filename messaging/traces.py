"""Traces of messages across the tables: the context that a message's row keeps."""

from collections.abc import Iterable
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from messaging.models import Message
from waproject import tracing


def contexts_of(message_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The traceparents of these messages, where they have one; one query while traces are on, else none."""
    if not tracing.is_on() or not (ids := list(message_ids)):
        return {}
    found = Message.objects.filter(pk__in=ids, traceparent__isnull=False).values_list("pk", "traceparent")
    try:
        return {pk: traceparent for pk, traceparent in found if traceparent}
    except (DatabaseError, InterfaceError):  # what was released or claimed continues without its trace
        return {}
