"""Dead letters by the API."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from messaging.models import ApiClient, AuditEntry
from monitoring.models import Move
from tests.monitoring.dead_letters.letters import FOREIGN, PHONE, RAW, SECRET, finished, put, task_body

pytestmark = pytest.mark.django_db
URL = "/monitoring/dlq/incoming"


@pytest.fixture
def operator(api: APIClient) -> APIClient:
    """A key of a client that is an operator."""
    ApiClient.objects.update(operator=True)
    return api


def test_a_client_that_is_no_operator_is_refused(sqs: Any, api: APIClient) -> None:
    assert api.get(URL).status_code == 403


def test_staff_with_the_permission_passes(sqs: Any) -> None:
    ann = User.objects.create(username="ann", is_staff=True)
    ann.user_permissions.add(Permission.objects.get(codename="redrive"))
    client = APIClient()
    client.force_login(ann)
    assert client.get(URL).status_code == 200


def test_a_look_shows_letters_without_their_texts(sqs: Any, operator: APIClient) -> None:
    put(sqs, task_body(), RAW, FOREIGN)
    answer = operator.get(URL)
    assert (answer.json()["total"], len(answer.json()["letters"])) == (3, 3)
    assert not any(secret in answer.content.decode() for secret in (SECRET, PHONE[1:]))


def test_selected_letters_are_redriven_and_the_move_can_be_followed(sqs: Any, operator: APIClient) -> None:
    ids = put(sqs, RAW, RAW)
    answer = operator.post(f"{URL}/redrive", {"message_ids": ids[:1]}, format="json")
    assert answer.status_code == 202
    finished(Move.objects.get())
    move = operator.get(f"/monitoring/moves/{answer.json()['id']}").json()
    assert (move["state"], move["done"], move["total"]) == ("done", 1, 1)


def test_all_are_discarded_in_the_name_of_the_client(sqs: Any, operator: APIClient) -> None:
    assert operator.post(f"{URL}/discard", {"all": True}, format="json").status_code == 202
    assert AuditEntry.objects.get(action="discard dead letters").who == "API client shop"


@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"message_ids": []}, {"message_ids": ["a"], "all": True}, {"message_ids": "a"},
     {"message_ids": ["a"] * 201}, {"message_ids": [{}]}, []],
)  # fmt: skip
def test_what_is_not_clear_is_refused(operator: APIClient, body: Any) -> None:
    assert operator.post(f"{URL}/redrive", body, format="json").status_code == 400
    assert not Move.objects.exists()


def test_a_second_move_is_told_of_the_first(operator: APIClient) -> None:
    operator.post(f"{URL}/redrive", {"all": True}, format="json")
    answer = operator.post(f"{URL}/discard", {"all": True}, format="json")
    assert (answer.status_code, answer.json()["move"]["action"]) == (409, "redrive")


def test_a_move_can_be_stopped_once(operator: APIClient) -> None:
    pk = operator.post(f"{URL}/redrive", {"all": True}, format="json").json()["id"]
    assert [operator.post(f"/monitoring/moves/{pk}/stop").status_code for _ in range(2)] == [202, 409]


def test_another_lane_is_a_404_with_the_lanes_that_there_are(operator: APIClient) -> None:
    answer = operator.get("/monitoring/dlq/priority")
    assert (answer.status_code, "outgoing" in answer.json()["detail"]) == (404, True)


def test_with_sqs_away_it_says_so(operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    def away(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr("waproject.sqs.control.depth", away)
    answer = operator.get(URL)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
