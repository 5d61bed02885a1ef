"""The filter of the message list by the reason why a message waits."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.messages.api import HOLDS
from messaging.models import Message
from tests.messaging.factories import number, pending

pytestmark = pytest.mark.django_db
# As the messages store them.
STORED = {
    "pair": "pair",
    "limit": "limit:1:5",
    "campaign": "campaign:3",
    "template": "template:4",
    "budget": "budget:5",
    "unknown": "unknown",
    "quality": "quality",
}


@pytest.fixture
def waiting() -> dict[str, str]:
    """The id of a message of each hold, and of one without."""
    rows = dict(zip((*STORED, "none"), pending(len(STORED) + 1), strict=True))
    for kind, row in rows.items():
        Message.objects.filter(pk=row.pk).update(hold=STORED.get(kind))
    return {kind: str(row.pk) for kind, row in rows.items()}


def listed(api: APIClient, query: str) -> list[tuple[str, str | None]]:
    return [(row["id"], row["hold"]) for row in api.get(f"/messaging/messages?{query}").json()["results"]]


@pytest.mark.parametrize("kind", STORED)
def test_the_list_is_filtered_by_the_kind_of_hold(kind: str, api: APIClient, waiting: dict[str, str]) -> None:
    assert listed(api, f"hold={kind}") == [(waiting[kind], kind)]


def test_the_messages_of_a_paused_number_are_those_without_another_hold(
    api: APIClient, waiting: dict[str, str]
) -> None:
    assert listed(api, "hold=number") == []
    number(paused_at=timezone.now())
    assert listed(api, "hold=number") == [(waiting["none"], "number")]


def test_a_hold_and_another_filter_apply_together(api: APIClient, waiting: dict[str, str]) -> None:
    assert (len(listed(api, "hold=limit&status=pending")), listed(api, "hold=limit&status=failed")) == (1, [])


@pytest.mark.parametrize("value", ["limits", "pair:", "LIMIT", "%", "pair&hold=limit"])
def test_another_hold_is_refused_with_those_that_there_are(value: str, api: APIClient) -> None:
    answer = api.get(f"/messaging/messages?hold={value}")
    assert (answer.status_code, list(answer.json())) == (400, ["hold"])


def test_each_hold_has_a_case_here() -> None:
    assert {*HOLDS} == {*STORED, "number"}
