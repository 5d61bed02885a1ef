"""Sending many messages in one request."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from messaging.models import Message, MessageEvent
from tests.messaging.accepting.test_api import EXAMPLE

BULK = "/messaging/send/bulk"


def bodies(count: int) -> list[dict[str, Any]]:
    return [{**EXAMPLE, "phone_number": f"+1650253{n:04d}"} for n in range(count)]


def post(api: APIClient, messages: object) -> Any:
    return api.post(BULK, {"messages": messages}, format="json")


def test_a_thousand_messages_are_accepted_in_their_order(api: APIClient) -> None:
    results = post(api, bodies(1000)).data["results"]
    peers = dict(Message.objects.values_list("id", "peer"))
    assert [peers[_uuid(row["id"])] for row in results] == [body["phone_number"][1:] for body in bodies(1000)]


def _uuid(text: str) -> Any:
    return Message._meta.pk.to_python(text)


def test_each_result_has_its_index_id_and_status(api: APIClient) -> None:
    results = post(api, bodies(2)).data["results"]
    assert [(row["index"], row["status"], set(row)) for row in results] == [
        (n, "pending", {"index", "id", "status", "warnings"}) for n in range(2)
    ]


def test_invalid_items_are_named_by_index_and_valid_ones_accepted(api: APIClient) -> None:
    good = bodies(2)
    answer = post(api, [good[0], {**good[0], "phone_number": "x"}, 7, None, good[1]])
    assert answer.status_code == 202
    assert [row["index"] for row in answer.data["results"] if "errors" in row] == [1, 2, 3]
    assert Message.objects.count() == 2


def test_an_error_in_a_bulk_names_its_field(api: APIClient) -> None:
    (result,) = post(api, [{**EXAMPLE, "priority": "x"}]).data["results"]
    assert (result["index"], list(result["errors"])) == (0, ["priority"])


def test_a_bulk_without_a_valid_item_is_400_and_stores_nothing(api: APIClient) -> None:
    answer = post(api, [{}, {}])
    assert (answer.status_code, len(answer.data["results"]), Message.objects.count()) == (400, 2, 0)


def test_1001_messages_are_refused(api: APIClient) -> None:
    assert (post(api, bodies(1001)).status_code, Message.objects.count()) == (400, 0)


@pytest.mark.parametrize("messages", [None, [], {}, "x", 1])
def test_a_bulk_without_a_list_of_messages_is_400(messages: object, api: APIClient) -> None:
    answer = post(api, messages)
    assert (answer.status_code, list(answer.data)) == (400, ["messages"])


def test_an_unknown_field_beside_the_messages_is_400(api: APIClient) -> None:
    answer = api.post(BULK, {"messages": bodies(1), "sender": "1"}, format="json")
    assert (answer.status_code, list(answer.data)) == (400, ["sender"])


@pytest.mark.parametrize("count", [1, 300])
@pytest.mark.parametrize("sender", ["default", "same", "other"])
def test_the_number_of_queries_does_not_grow(
    count: int, sender: str, api: APIClient, django_assert_max_num_queries: Any
) -> None:
    post(api, bodies(1))
    many = bodies(count)
    for n, body in enumerate(many):
        if sender != "default":
            body["sender"] = "999" if sender == "same" else f"{n}"
    with django_assert_max_num_queries(7):
        post(api, many)


def test_every_message_of_a_bulk_gets_a_pending_event(api: APIClient) -> None:
    post(api, bodies(3))
    assert MessageEvent.objects.count() == 3
