"""Warnings of a send that its message will wait."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.accepting.waiting_warnings import clear_hold_cache, waiting_warnings
from messaging.models import ApiClient, BusinessNumber, Hold, Message
from tests.messaging.factories import number, release_due

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
        ("template", "", ["The template offer is held: the message waits until it is resumed."]),
        ("budget", "spring", [BUDGET]),
        ("budget", "", [BUDGET]),
        ("budget", "autumn", []),
    ],
)
def test_a_hold_of_the_message_is_named(kind: str, key: str, warnings: list[str]) -> None:
    assert warnings_with(kind=kind, key=key) == warnings


def narrowed(field: str, *, is_ours: bool) -> dict[str, Any]:
    """A field of a hold that names our client, number, account or language, or another one."""
    match field:
        case "client":
            return {"client": ApiClient.objects.create(name="ours" if is_ours else "other")}
        case "number":
            return {"number": number() if is_ours else BusinessNumber.objects.create(phone_number_id="999")}
        case "waba_id":
            return {"waba_id": "77" if is_ours else "88"}
        case _:
            return {"language": "en" if is_ours else "de"}


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "of others"])
@pytest.mark.parametrize("field", ["client", "number", "waba_id", "language"])
@pytest.mark.parametrize(
    ("kind", "key"),
    [("campaign", "spring"), ("template", "offer"), ("template", ""), ("budget", "")],
    ids=["campaign", "template", "all templates", "budget"],
)
def test_a_send_is_warned_of_a_hold_if_the_hold_keeps_it_waiting(
    kind: str, key: str, field: str, is_ours: bool
) -> None:
    sender = number(waba_id="77")
    scope = narrowed(field, is_ours=is_ours)
    client = scope.get("client") if is_ours else ApiClient.objects.create(name="ours")
    Hold.objects.create(by="ann", kind=kind, key=key, **scope)
    content: dict[str, object] = {"name": "offer", "language": {"code": "en"}}
    (message,) = accept([NewMessage("15550000000", "template", content, sender, campaign="spring")], client)
    assert (len(waiting_warnings(message)), release_due()) == ((1, []) if is_ours else (0, [message.pk]))


def test_a_hold_of_a_language_covers_no_message_without_a_template() -> None:
    Hold.objects.create(by="ann", kind="campaign", key="spring", language="en")
    content: dict[str, object] = {"content": "hello", "language": "en"}
    (message,) = accept([NewMessage("15550000000", "text", content, number(), campaign="spring")])
    assert (waiting_warnings(message), release_due()) == ([], [message.pk])


def test_a_hold_that_has_ended_is_not_named() -> None:
    assert warnings_with(kind="campaign", key="spring", resumed_at=timezone.now()) == []


def test_a_paused_number_is_named() -> None:
    row = number(paused_at=timezone.now())
    message = Message(number=row, type="text", content={})
    assert waiting_warnings(message) == [
        f"The number {row.phone_number_id} is paused: the message waits until it is resumed."
    ]
