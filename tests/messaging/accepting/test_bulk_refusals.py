"""The words with which a bulk is refused, as a whole and in single items."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from messaging.accepting import api as endpoint
from messaging.models import Message

pytestmark = pytest.mark.django_db
BULK = "/messaging/send/bulk"
GOOD = {"phone_number": "+16502530000", "message_type": "text", "message_data": {"content": "hi"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([GOOD], {"messages": ['The body is an object: {"messages": [...]}.']}),
        ({}, {"messages": ["A list of send bodies is required."]}),
        ({"messages": []}, {"messages": ["A list of send bodies is required."]}),
        ({"messages": GOOD}, {"messages": ["A list of send bodies is required."]}),
    ],
)
def test_a_body_that_is_no_list_of_messages_is_refused(api: APIClient, body: Any, words: dict[str, Any]) -> None:
    answer = api.post(BULK, body, format="json")
    assert (answer.status_code, answer.json()) == (400, words)


@pytest.mark.parametrize(("most", "status"), [(3, 202), (2, 400)])
def test_a_bulk_has_a_largest_size(api: APIClient, monkeypatch: pytest.MonkeyPatch, most: int, status: int) -> None:
    monkeypatch.setattr(endpoint, "MAX_BULK", most)
    bodies = [{**GOOD, "phone_number": f"+1650253000{n}"} for n in range(3)]
    answer = api.post(BULK, {"messages": bodies}, format="json")
    assert answer.status_code == status
    if status == 400:
        assert answer.json() == {"messages": ["At most 2 messages in one request; these are 3."]}


@pytest.mark.parametrize("item", ["text", 7, None, []])
def test_an_item_that_is_no_object_is_refused_and_the_others_are_stored(api: APIClient, item: Any) -> None:
    answer = api.post(BULK, {"messages": [item, GOOD]}, format="json")
    refused = next(row for row in answer.json()["results"] if "errors" in row)
    assert (answer.status_code, Message.objects.count(), list(refused["errors"])) == (202, 1, ["non_field_errors"])
