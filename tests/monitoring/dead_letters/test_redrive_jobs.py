"""Redriving and discarding: nothing is lost, what is asked for is done once, and it is written down."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from django.utils import timezone

from messaging.models import AuditEntry, MessageEvent
from messaging.outgoing.redrive import dead_lettered, exhausted
from messaging.outgoing.tasks import revive
from monitoring.dead_letters import redrive_jobs
from monitoring.models import Move
from tests.messaging.outgoing.test_redrive import used_up
from tests.monitoring.dead_letters.letters import PHONE, RAW, SECRET, finished, on, put, task_body
from waproject.queues import LANES
from waproject.sqs import envelope, moving, sampling

pytestmark = pytest.mark.django_db
LANE = LANES["incoming"]
REDRIVE, DISCARD = Move.Action.REDRIVE, Move.Action.DISCARD


def ask(action: Move.Action, ids: list[str] | None = None, lane: str = "incoming") -> Move:
    return redrive_jobs.ask(LANES[lane], action, ids, "ann")


def test_all_go_back_to_the_queue(sqs: Any) -> None:
    put(sqs, *[f"{n}" for n in range(25)])
    move = finished(ask(REDRIVE))
    assert (move.state, move.done, move.total) == ("done", 25, 25)
    assert {message["Body"] for message in on(sqs, LANE.url)} == {str(n) for n in range(25)}
    assert on(sqs, LANE.dlq_url) == []


def test_only_the_selected_go_back(sqs: Any) -> None:
    ids = put(sqs, *[f"{n}" for n in range(15)])
    move = finished(ask(REDRIVE, ids[12:14]))
    assert (move.state, move.done) == ("done", 2)
    assert {message["Body"] for message in on(sqs, LANE.url)} == {"12", "13"}
    assert len(on(sqs, LANE.dlq_url)) == 13


def test_what_came_after_the_question_is_not_meant(sqs: Any) -> None:
    put(sqs, "x")
    move = ask(REDRIVE)
    Move.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    move = finished(move)
    assert (move.state, move.done) == ("done", 0)
    assert len(on(sqs, LANE.dlq_url)) == 1


def test_attributes_are_kept(sqs: Any) -> None:
    given = {
        "who": {"DataType": "String", "StringValue": "me"},
        "n": {"DataType": "Number", "StringValue": "7"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    put(sqs, RAW, MessageAttributes=given)
    finished(ask(REDRIVE))
    (message,) = on(sqs, LANE.url)
    assert message["MessageAttributes"] == given


def test_a_task_goes_back_as_if_it_had_never_been_tried() -> None:
    body = task_body(retries=3, eta="2026-01-01T00:00:00+00:00", expires="2026-01-01T00:00:00+00:00")
    headers = json.loads(envelope.untried(body))["headers"]
    assert [headers[name] for name in ("retries", "eta", "expires")] == [0, None, None]


@pytest.mark.parametrize("body", [RAW, "[]", '{"headers": 1}', task_body()])
def test_what_needs_no_change_is_not_changed(body: str) -> None:
    assert envelope.untried(body) == body


def test_a_kill_between_send_and_delete_doubles_and_loses_nothing(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(sqs, "one")
    move = ask(REDRIVE)
    monkeypatch.setattr(moving, "HIDE_S", 1)
    monkeypatch.setattr(sampling, "LONG_POLL_S", 1)
    redrive_jobs.work()

    def killed(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(moving, "delete", killed)
        redrive_jobs.work()
    assert not redrive_jobs.work()  # its lease holds
    Move.objects.update(lease_until=timezone.now())
    move = finished(move)
    assert (move.state, move.done) == ("done", 1)
    assert [message["Body"] for message in on(sqs, LANE.url)] == ["one", "one"]


def test_one_move_at_a_time(sqs: Any) -> None:
    ask(REDRIVE)
    with pytest.raises(redrive_jobs.MoveUnderWay):
        ask(DISCARD)


def test_lanes_do_not_wait_for_each_other(sqs: Any) -> None:
    ask(REDRIVE)
    assert ask(REDRIVE, lane="outgoing").state == "waiting"


def test_a_move_that_is_stopped_ends_where_it_is(sqs: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_jobs, "STEP_S", 0.1)
    put(sqs, *["x"] * 25)
    move = ask(REDRIVE)
    redrive_jobs.work()
    redrive_jobs.work()
    redrive_jobs.stop(move.pk, "bob")
    move = finished(move)
    assert move.state == "stopped"
    assert (move.done, len(on(sqs, LANE.dlq_url))) == (10, 15)


def test_the_pace_is_kept(sqs: Any, settings: Any) -> None:
    settings.DLQ_MOVES_PER_SECOND = 40
    put(sqs, *["x"] * 20)
    began = timezone.now()
    finished(ask(REDRIVE))
    assert (timezone.now() - began).total_seconds() >= 0.5


def test_those_that_are_gone_are_said(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_jobs, "HIDDEN", timedelta(0))
    move = finished(ask(REDRIVE, ["gone", *put(sqs, "x")]))
    assert (move.state, move.done, move.error) == ("done", 1, "1 were not there any more.")


def test_with_sqs_away_it_is_tried_again_and_then_given_up(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "ReceiveMessage")

    monkeypatch.setattr("waproject.sqs.moving.receive", away)
    move = finished(ask(REDRIVE))
    assert (move.state, move.error) == ("failed", "SQS did not do it: ServiceUnavailable.")


def test_what_the_queue_refuses_stays(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "send_again", lambda *_: [])
    monkeypatch.setattr(redrive_jobs, "MOST_FAILURES", 2)
    put(sqs, "x")
    move = finished(ask(REDRIVE))
    assert (move.state, len(on(sqs, LANE.dlq_url))) == ("failed", 1)


def test_discarded_is_gone(sqs: Any) -> None:
    put(sqs, RAW, task_body())
    move = finished(ask(DISCARD))
    assert (move.state, move.done) == ("done", 2)
    assert on(sqs, LANE.dlq_url) + on(sqs, LANE.url) == []


def test_discarding_leaves_the_ids_and_no_content_in_the_audit_log(sqs: Any) -> None:
    (sqs_id,) = put(sqs, task_body(id="t-9"))
    move = finished(ask(DISCARD))
    entry = AuditEntry.objects.get(action="discard")
    letter = {"sqs": sqs_id, "task": "messaging.receive", "task_id": "t-9"}
    assert (entry.who, entry.object, entry.details) == (
        "ann", "dead letters incoming", {"move": move.pk, "letters": [letter]},
    )  # fmt: skip
    assert not any(secret in str(entry.details) for secret in (SECRET, PHONE))


def test_a_discard_that_cannot_be_written_down_deletes_nothing(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(sqs, RAW)
    ask(DISCARD)
    redrive_jobs.work()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(redrive_jobs, "record_action", broken)
    monkeypatch.setattr(moving, "HIDE_S", 0)
    with pytest.raises(RuntimeError):
        redrive_jobs.work()
    assert len(on(sqs, LANE.dlq_url)) == 1


def test_an_exhausted_message_is_pending_again_exactly_once(sqs: Any) -> None:
    message = used_up()
    (letter,) = exhausted()
    dead_lettered([letter])
    put(sqs, *[task_body(revive, str(message.pk), letter.generation)] * 2, lane="outgoing")
    finished(ask(REDRIVE, lane="outgoing"))
    for redriven in on(sqs, LANES["outgoing"].url):
        revive(*json.loads(json.loads(redriven["Body"])["body"])[0])
    message.refresh_from_db()
    assert (message.status, message.generation) == ("pending", 1)
    assert MessageEvent.objects.filter(status="pending", source="redrive").count() == 1


@pytest.fixture
def aws() -> Any:
    """A client whose requests and answers are checked against the description of the real service."""
    client = boto3.client("sqs", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub


def test_sqs_moves_all_by_itself_where_it_can(aws: Any) -> None:
    client, stub = aws
    source, target = "arn:aws:sqs:eu-west-1:1:dlq", "arn:aws:sqs:eu-west-1:1:queue"
    stub.add_response("list_message_move_tasks", {"Results": []}, {"SourceArn": source, "MaxResults": 1})
    stub.add_response(
        "start_message_move_task",
        {"TaskHandle": "h"},
        {"SourceArn": source, "DestinationArn": target, "MaxNumberOfMessagesPerSecond": 500},
    )
    assert moving.start_move_task(client, source, target, 9000)


def test_a_move_of_sqs_that_runs_already_is_followed_and_not_started_twice(aws: Any) -> None:
    client, stub = aws
    stub.add_response("list_message_move_tasks", {"Results": [{"Status": "RUNNING", "TaskHandle": "h"}]})
    assert moving.start_move_task(client, "arn:a", "arn:b", 50)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(("status", "state"), [("COMPLETED", "done"), ("FAILED", "failed"), ("CANCELLED", "stopped")])
def test_the_move_of_sqs_is_followed_to_its_end(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, status: str, state: str
) -> None:
    tasks = [moving.MoveTask("RUNNING", "h", 4, ""), moving.MoveTask(status, "", 7, "why")]
    monkeypatch.setattr(moving, "start_move_task", lambda *_: True)
    monkeypatch.setattr(moving, "move_task", lambda *_: tasks.pop(0))
    move = finished(ask(REDRIVE))
    assert (move.state, move.done, move.by_sqs) == (state, 7, True)
