"""Redrive and discard jobs: no loss, no repetition, an entry in the audit log."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from django.utils import timezone

from messaging.models import AuditEntry, MessageEvent
from messaging.outgoing.redrive import exhausted_messages, mark_dead_lettered
from messaging.outgoing.tasks import revive
from monitoring.dead_letters import redrive_jobs
from monitoring.models import RedriveJob
from tests.messaging.outgoing.test_redrive import exhausted
from tests.monitoring.dead_letters.bodies import PHONE, RAW, SECRET, finished, on, put, task_body
from waproject.queues import LANES
from waproject.sqs import envelope, moving, sampling

pytestmark = pytest.mark.django_db
LANE = LANES["incoming"]
REDRIVE, DISCARD = RedriveJob.Action.REDRIVE, RedriveJob.Action.DISCARD


def request(action: RedriveJob.Action, ids: list[str] | None = None, lane: str = "incoming") -> RedriveJob:
    return redrive_jobs.request_job(LANES[lane], action, ids, "ann")


def test_a_redrive_of_all_empties_the_dead_letter_queue(sqs: Any) -> None:
    put(sqs, *[f"{n}" for n in range(25)])
    job = finished(request(REDRIVE))
    assert (job.state, job.done, job.total) == ("done", 25, 25)
    assert {message["Body"] for message in on(sqs, LANE.url)} == {str(n) for n in range(25)}
    assert on(sqs, LANE.dlq_url) == []


def test_only_the_selected_messages_are_redriven(sqs: Any) -> None:
    ids = put(sqs, *[f"{n}" for n in range(15)])
    job = finished(request(REDRIVE, ids[12:14]))
    assert (job.state, job.done) == ("done", 2)
    assert {message["Body"] for message in on(sqs, LANE.url)} == {"12", "13"}
    assert len(on(sqs, LANE.dlq_url)) == 13


def test_messages_sent_after_the_request_are_not_redriven(sqs: Any) -> None:
    put(sqs, "x")
    job = request(REDRIVE)
    RedriveJob.objects.update(requested_at=timezone.now() - timedelta(hours=1))
    job = finished(job)
    assert (job.state, job.done) == ("done", 0)
    assert len(on(sqs, LANE.dlq_url)) == 1


def test_message_attributes_are_kept(sqs: Any) -> None:
    given = {
        "who": {"DataType": "String", "StringValue": "me"},
        "n": {"DataType": "Number", "StringValue": "7"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    put(sqs, RAW, MessageAttributes=given)
    finished(request(REDRIVE))
    (message,) = on(sqs, LANE.url)
    assert message["MessageAttributes"] == given


def test_a_redriven_task_has_no_retries_and_no_expiry() -> None:
    body = task_body(retries=3, eta="2026-01-01T00:00:00+00:00", expires="2026-01-01T00:00:00+00:00")
    headers = json.loads(envelope.without_retries(body))["headers"]
    assert [headers[name] for name in ("retries", "eta", "expires")] == [0, None, None]


def test_half_of_a_surrogate_pair_in_a_header_keeps_no_task_from_its_redrive(sqs: Any) -> None:
    put(sqs, task_body(retries=3, argsrepr="\ud83d"))
    assert finished(request(REDRIVE)).done == 1
    (redriven,) = on(sqs, LANE.url)
    assert json.loads(redriven["Body"])["headers"]["argsrepr"] == "\ud83d"


@pytest.mark.parametrize("body", [RAW, "[]", '{"headers": 1}', task_body()])
def test_a_body_without_retries_is_not_changed(body: str) -> None:
    assert envelope.without_retries(body) == body


def test_a_kill_between_send_and_delete_duplicates_a_message_and_loses_none(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sqs, "one")
    job = request(REDRIVE)
    monkeypatch.setattr(moving, "HIDE_S", 1)
    monkeypatch.setattr(sampling, "LONG_POLL_S", 1)
    redrive_jobs.run_step()

    def killed(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(moving, "delete", killed)
        redrive_jobs.run_step()
    assert not redrive_jobs.run_step()  # its lease holds
    RedriveJob.objects.update(lease_until=timezone.now())
    job = finished(job)
    assert (job.state, job.done) == ("done", 1)
    assert [message["Body"] for message in on(sqs, LANE.url)] == ["one", "one"]


def test_a_job_whose_step_always_fails_ends_and_blocks_no_other(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a text of a user")

    put(sqs, "one")
    job = request(DISCARD)
    monkeypatch.setattr(moving, "step", broken)
    for _ in range(1 + redrive_jobs.MAX_FAILURES):
        RedriveJob.objects.update(due_at=timezone.now())
        assert redrive_jobs.run_step()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "The step failed: ValueError.")
    assert request(DISCARD).state == "waiting"


def test_a_lane_has_one_active_job(sqs: Any) -> None:
    request(REDRIVE)
    with pytest.raises(redrive_jobs.JobInProgress):
        request(DISCARD)


def test_lanes_have_jobs_of_their_own(sqs: Any) -> None:
    request(REDRIVE)
    assert request(REDRIVE, lane="outgoing").state == "waiting"


def test_a_stopped_job_leaves_the_remaining_messages(sqs: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_jobs, "STEP_S", 0.1)
    put(sqs, *["x"] * 25)
    job = request(REDRIVE)
    redrive_jobs.run_step()
    redrive_jobs.run_step()
    redrive_jobs.stop(job.pk, "bob")
    job = finished(job)
    assert job.state == "stopped"
    assert (job.done, len(on(sqs, LANE.dlq_url))) == (10, 15)


def test_a_job_keeps_its_rate_limit(sqs: Any, settings: Any) -> None:
    settings.DLQ_MOVES_PER_SECOND = 40
    put(sqs, *["x"] * 20)
    began = timezone.now()
    finished(request(REDRIVE))
    assert (timezone.now() - began).total_seconds() >= 0.5


def test_a_job_reports_messages_that_are_no_longer_there(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_jobs, "HIDDEN_FOR", timedelta(0))
    job = finished(request(REDRIVE, ["gone", *put(sqs, "x")]))
    assert (job.state, job.done, job.error) == ("done", 1, "1 were no longer on the queue.")


def test_a_selected_message_behind_too_many_others_is_not_said_to_be_gone(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HIDDEN_FOR", timedelta(0)), ("SEARCH_FOR", timedelta(0)), ("SEARCH_S", 0.001)):
        monkeypatch.setattr(redrive_jobs, name, value)
    *_, last = put(sqs, *["x"] * 30)
    job = finished(request(REDRIVE, [last]))
    assert (job.state, job.error) == ("failed", "1 were not found: the queue has too many other messages.")


def test_a_selected_message_behind_many_others_is_searched_for_again(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_jobs, "HIDDEN_FOR", timedelta(0))
    *_, last = put(sqs, *["x"] * 30)
    job = request(REDRIVE, [last])
    redrive_jobs.run_step()
    with monkeypatch.context() as patch:
        patch.setattr(redrive_jobs, "SEARCH_S", 0.001)
        redrive_jobs.run_step()
    assert finished(job).done == 1


def test_a_slow_pace_outlasts_no_lease(sqs: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DLQ_MOVES_PER_SECOND = 0.5
    monkeypatch.setattr(redrive_jobs, "STEP_S", 0.1)
    put(sqs, *["x"] * 10)
    job = request(REDRIVE)
    redrive_jobs.run_step()
    redrive_jobs.run_step()
    job.refresh_from_db()
    assert (job.done, job.due_at - timezone.now() > timedelta(seconds=10)) == (10, True)


def test_a_job_whose_move_by_sqs_cannot_be_cancelled_is_not_stopped(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "CancelMessageMoveTask")

    job = request(REDRIVE)
    RedriveJob.objects.update(by_sqs=True, state="running")
    redrive_jobs.stop(job.pk, "bob")
    monkeypatch.setattr(moving, "cancel_move_task", refused)
    job = finished(job)
    assert (job.state, job.error) == ("failed", "SQS refused the request: AccessDenied.")


def test_a_job_without_sqs_is_retried_and_then_fails(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "ReceiveMessage")

    monkeypatch.setattr("waproject.sqs.moving.receive", away)
    job = finished(request(REDRIVE))
    assert (job.state, job.error) == ("failed", "SQS refused the request: ServiceUnavailable.")


def test_messages_that_the_queue_rejects_stay(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "send_again", lambda *_: [])
    monkeypatch.setattr(redrive_jobs, "MAX_FAILURES", 2)
    put(sqs, "x")
    job = finished(request(REDRIVE))
    assert (job.state, len(on(sqs, LANE.dlq_url))) == ("failed", 1)


def test_discarded_messages_are_deleted(sqs: Any) -> None:
    put(sqs, RAW, task_body())
    job = finished(request(DISCARD))
    assert (job.state, job.done) == ("done", 2)
    assert on(sqs, LANE.dlq_url) + on(sqs, LANE.url) == []


def test_the_audit_log_of_a_discard_has_ids_and_no_content(sqs: Any) -> None:
    (sqs_id,) = put(sqs, task_body(id="t-9"))
    job = finished(request(DISCARD))
    entry = AuditEntry.objects.get(action="discard")
    ids = {"sqs": sqs_id, "task": "messaging.receive", "task_id": "t-9"}
    assert (entry.who, entry.object, entry.details) == (
        "ann", "dead letters incoming", {"move": job.pk, "letters": [ids]},
    )  # fmt: skip
    assert not any(secret in str(entry.details) for secret in (SECRET, PHONE))


def test_a_discard_that_cannot_be_audited_deletes_nothing(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(sqs, RAW)
    request(DISCARD)
    redrive_jobs.run_step()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(redrive_jobs, "record_action", broken)
    monkeypatch.setattr(moving, "HIDE_S", 0)
    redrive_jobs.run_step()
    assert RedriveJob.objects.get().error == "The step failed: RuntimeError."
    assert len(on(sqs, LANE.dlq_url)) == 1


def test_a_redriven_message_is_pending_again_exactly_once(sqs: Any) -> None:
    message = exhausted()
    (exhausted_message,) = exhausted_messages()
    mark_dead_lettered([exhausted_message])
    put(sqs, *[task_body(revive, str(message.pk), exhausted_message.generation)] * 2, lane="outgoing")
    finished(request(REDRIVE, lane="outgoing"))
    for redriven in on(sqs, LANES["outgoing"].url):
        revive(*json.loads(json.loads(redriven["Body"])["body"])[0])
    message.refresh_from_db()
    assert (message.status, message.generation) == ("pending", 1)
    assert MessageEvent.objects.filter(status="pending", source="redrive").count() == 1


@pytest.fixture
def aws() -> Any:
    """A client that checks requests and answers against the model of the real service."""
    client = boto3.client("sqs", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub


def test_sqs_itself_redrives_all_messages_if_it_can(aws: Any) -> None:
    client, stub = aws
    source, target = "arn:aws:sqs:eu-west-1:1:dlq", "arn:aws:sqs:eu-west-1:1:queue"
    stub.add_response("list_message_move_tasks", {"Results": []}, {"SourceArn": source, "MaxResults": 1})
    stub.add_response(
        "start_message_move_task",
        {"TaskHandle": "h"},
        {"SourceArn": source, "DestinationArn": target, "MaxNumberOfMessagesPerSecond": 500},
    )
    assert moving.start_move_task(client, source, target, 9000)


def test_a_running_move_task_of_sqs_is_followed_and_not_started_again(aws: Any) -> None:
    client, stub = aws
    stub.add_response("list_message_move_tasks", {"Results": [{"Status": "RUNNING", "TaskHandle": "h"}]})
    assert moving.start_move_task(client, "arn:a", "arn:b", 50)
    stub.assert_no_pending_responses()
