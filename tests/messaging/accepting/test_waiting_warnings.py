"""Warnings of a send that its message will wait."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from messaging.accepting.waiting_warnings import clear_hold_cache, waiting_warnings
from messaging.models import Hold, Message
from tests.messaging.factories import number

pytestmark = pytest.mark.django_db
BUDGET = "The budget is spent: the message waits until it is raised."


@pytest.fixture(autouse=True)
def no_cache() -> Iterator[None]:
    clear_hold_cache()
    yield
    clear_hold_cache()


def warnings_with(**hold: Any) -> list[str]:
    """The warnings of a template message of the campaign `spring`, with this hold."""
    Hold.objects.create(by="ann", **hold)
    content = {"name": "offer", "language": {"code": "en"}}
    return waiting_warnings(
        Message(number=number(), type="template", template="offer", campaign="spring", content=content)
    )


@pytest.mark.parametrize(
    ("kind", "key", "warnings"),
    [
        ("campaign", "spring", ["The campaign spring is held: the message waits until it is resumed."]),
        ("campaign", "autumn", []),
        ("template", "offer", ["The template offer is held: the message waits until it is resumed."]),
        ("template", "other", []),
        ("budget", "spring", [BUDGET]),
        ("budget", "", [BUDGET]),
        ("budget", "autumn", []),
    ],
)
def test_a_hold_of_the_message_is_named(kind: str, key: str, warnings: list[str]) -> None:
    assert warnings_with(kind=kind, key=key) == warnings


@pytest.mark.parametrize("scope", [{"waba_id": "77"}, {"language": "de"}], ids=["another account", "another language"])
def test_a_hold_of_others_is_not_named(scope: dict[str, str]) -> None:
    assert warnings_with(kind="template", key="offer", **scope) == []


def test_a_hold_that_has_ended_is_not_named() -> None:
    assert warnings_with(kind="campaign", key="spring", resumed_at=timezone.now()) == []


def test_a_paused_number_is_named() -> None:
    row = number(paused_at=timezone.now())
    message = Message(number=row, type="text", content={})
    assert waiting_warnings(message) == [
        f"The number {row.phone_number_id} is paused: the message waits until it is resumed."
    ]
