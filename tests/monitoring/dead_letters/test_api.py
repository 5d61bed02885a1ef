"""Dead letters through the API."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from messaging.models import ApiClient, AuditEntry
from monitoring.dead_letters import redrive_jobs
from monitoring.models import RedriveJob
from tests.monitoring.dead_letters.bodies import FOREIGN, PHONE, RAW, SECRET, finished, put, task_body

pytestmark = pytest.mark.django_db
URL = "/monitoring/dlq/incoming"


@pytest.fixture
def operator(api: APIClient) -> APIClient:
    """A client with the API key of an operator."""
    ApiClient.objects.update(operator=True)
    return api


def test_a_client_that_is_not_an_operator_is_refused(sqs: Any, api: APIClient) -> None:
    assert api.get(URL).status_code == 403


def test_staff_with_the_permission_may_inspect(sqs: Any) -> None:
    ann = User.objects.create(username="ann", is_staff=True)
    ann.user_permissions.add(Permission.objects.get(codename="redrive"))
    client = APIClient()
    client.force_login(ann)
    assert client.get(URL).status_code == 200


def test_an_inspection_shows_dead_letters_without_their_texts(sqs: Any, operator: APIClient) -> None:
    put(sqs, task_body(), RAW, FOREIGN)
    answer = operator.get(URL)
    assert (answer.json()["total"], len(answer.json()["letters"])) == (3, 3)
    assert not any(secret in answer.content.decode() for secret in (SECRET, PHONE[1:]))


def test_selected_dead_letters_are_redriven_and_the_job_can_be_polled(sqs: Any, operator: APIClient) -> None:
    ids = put(sqs, RAW, RAW)
    answer = operator.post(f"{URL}/redrive", {"message_ids": ids[:1]}, format="json")
    assert answer.status_code == 202
    finished(RedriveJob.objects.get())
    job = operator.get(f"/monitoring/moves/{answer.json()['id']}").json()
    assert (job["state"], job["done"], job["total"]) == ("done", 1, 1)


def test_a_discard_of_all_is_audited_under_the_client(sqs: Any, operator: APIClient) -> None:
    assert operator.post(f"{URL}/discard", {"all": True}, format="json").status_code == 202
    assert AuditEntry.objects.get(action="discard dead letters").who == "API client shop"


@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"message_ids": []}, {"message_ids": ["a"], "all": True}, {"message_ids": "a"},
     {"message_ids": ["a"] * 201}, {"message_ids": [{}]}, []],
)  # fmt: skip
def test_an_ambiguous_selection_is_refused(operator: APIClient, body: Any) -> None:
    assert operator.post(f"{URL}/redrive", body, format="json").status_code == 400
    assert not RedriveJob.objects.exists()


def test_a_job_can_be_stopped_once(operator: APIClient) -> None:
    pk = operator.post(f"{URL}/redrive", {"all": True}, format="json").json()["id"]
    assert [operator.post(f"/monitoring/moves/{pk}/stop").status_code for _ in range(2)] == [202, 409]


def test_without_sqs_the_api_answers_503(operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    def away(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr("waproject.sqs.control.depth", away)
    answer = operator.get(URL)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_an_inspection_names_the_lane_its_active_job_and_each_dead_letter(sqs: Any, operator: APIClient) -> None:
    (message_id,) = put(sqs, RAW)
    job = RedriveJob.objects.create(lane="incoming", action="redrive", requested_by="x")
    RedriveJob.objects.create(lane="outgoing", action="redrive", requested_by="x")
    body = operator.get(URL).json()
    assert (body["lane"], body["total"], body["move"]["id"]) == ("incoming", 1, job.pk)
    assert [letter["message_id"] for letter in body["letters"]] == [message_id]


@pytest.mark.parametrize("action", ["redrive", "discard"])
@pytest.mark.parametrize(("body", "ids"), [({"all": True}, None), ({"message_ids": ["a"], "all": False}, ["a"])])
def test_a_request_creates_the_job_that_it_asks_for(
    action: str, body: dict[str, Any], ids: list[str] | None, operator: APIClient
) -> None:
    answer = operator.post(f"{URL}/{action}", body, format="json")
    job = RedriveJob.objects.get()
    assert (answer.status_code, answer.json()["id"], answer.json()["asked_by"]) == (202, job.pk, "API client shop")
    assert (job.lane, job.action, job.message_ids) == ("incoming", action, ids)


def test_a_refused_selection_says_what_to_give(operator: APIClient) -> None:
    def refusal(body: Any) -> Any:
        return operator.post(f"{URL}/redrive", body, format="json").json()

    either = {"message_ids": ["Give either message_ids, or all: true."]}
    assert (refusal({}), refusal({"message_ids": ["a"], "all": True})) == (either, either)
    assert refusal({"all": True, "lane": "x"}) == {"lane": ["Unknown field."]}


def test_the_refusal_of_a_second_job_names_the_first_and_says_what_to_do(operator: APIClient) -> None:
    job = RedriveJob.objects.create(lane="incoming", action="redrive", requested_by="x")
    answer = operator.post(f"{URL}/discard", {"all": True}, format="json")
    detail = "This lane has an active job already. Wait for it, or stop it."
    assert (answer.status_code, answer.json()["detail"], answer.json()["move"]["id"]) == (409, detail, job.pk)


def test_a_job_that_ends_meanwhile_is_not_in_the_refusal(operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_progress(*_: Any) -> None:
        raise redrive_jobs.JobInProgress

    monkeypatch.setattr(redrive_jobs, "request_job", in_progress)
    answer = operator.post(f"{URL}/discard", {"all": True}, format="json")
    assert (answer.status_code, answer.json()["move"]) == (409, None)


def test_a_stop_answers_the_job_and_is_audited_under_the_client(operator: APIClient) -> None:
    job = RedriveJob.objects.create(lane="incoming", action="redrive", requested_by="x")
    answer = operator.post(f"/monitoring/moves/{job.pk}/stop").json()
    assert (answer["id"], answer["state"], AuditEntry.objects.get().who) == (job.pk, "waiting", "API client shop")


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", "/stop")])
def test_an_unknown_job_is_a_404(method: str, path: str, operator: APIClient) -> None:
    answer = getattr(operator, method)(f"/monitoring/moves/4711{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no job with this id."})


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/monitoring/dlq/{}"), ("post", "/monitoring/dlq/{}/redrive"), ("post", "/monitoring/dlq/{}/discard")],
)
def test_an_unknown_lane_is_a_404_that_lists_the_lanes(method: str, path: str, operator: APIClient) -> None:
    answer = getattr(operator, method)(path.format("p" * 21))
    detail = f"There is no lane '{'p' * 20}'. The lanes are incoming, outgoing, analytics."
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})
