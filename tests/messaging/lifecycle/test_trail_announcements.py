"""Announcement of new trail rows to the analytics lane."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import MessageEvent
from messaging.signals import events_recorded
from messaging.states import Status
from tests.messaging.factories import in_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def announced() -> Iterator[list[int]]:
    """The ids of all events announced so far."""
    ids: list[int] = []

    def receive(event_ids: list[int], **_: Any) -> None:
        ids.extend(event_ids)

    events_recorded.connect(receive)
    yield ids
    events_recorded.disconnect(receive)


def sent(message_id: Any) -> list[Any]:
    return advance_many([Change(message_id, Status.SENT, timezone.now(), "webhook", wamid="wamid.1")])


def test_a_change_of_status_announces_its_trail(announced: list[int]) -> None:
    message = in_state(Status.ACCEPTED)
    sent(message.pk)
    assert announced == [MessageEvent.objects.get(message_id=message.pk, status="sent").pk]


def test_nothing_is_announced_before_the_commit(announced: list[int]) -> None:
    message = in_state(Status.ACCEPTED)
    with transaction.atomic():
        sent(message.pk)
        assert announced == []


def test_a_rolled_back_change_is_not_announced(announced: list[int]) -> None:
    message = in_state(Status.ACCEPTED)
    with pytest.raises(RuntimeError), transaction.atomic():
        sent(message.pk)
        raise RuntimeError
    assert announced == []
