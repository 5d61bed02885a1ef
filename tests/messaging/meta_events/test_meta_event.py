"""An event of Meta with its value."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.meta_events.meta_event import MetaEvent, read_event
from messaging.whatsapp.inbound import Event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def meta_event(value: Any = None, **fields: Any) -> MetaEvent:
    return read_event(Event("kind", "event", "", None, {"value": value}, **fields))


def test_the_account_of_an_event_is_within_its_column() -> None:
    assert [meta_event(waba_id=one).waba_id for one in (None, "7", "7" * 33)] == ["", "7", "7" * 32]


def test_an_event_is_never_in_the_future() -> None:
    before = timezone.now()
    future = meta_event(timestamp=before + timedelta(hours=1)).at
    assert meta_event(timestamp=NOON).at == NOON
    assert before <= future <= meta_event().at <= timezone.now()


@pytest.mark.parametrize(
    ("value", "text", "nested"),
    [
        ({"name": "X" * 255, "node": {"name": "Y" * 40}}, "X" * 255, "Y" * 40),
        ({"name": "X" * 256, "node": {"name": "Y" * 41}}, "", ""),
        ({"node": "Y"}, "", ""),
        ([], "", ""),
        (None, "", ""),
    ],
    ids=["longest", "longer", "no node", "a list", "nothing"],
)
def test_a_text_that_is_missing_or_too_long_is_empty(value: Any, text: str, nested: str) -> None:
    event = meta_event(value)
    assert (event.text("name"), event.nested("node", "name")) == (text, nested)
