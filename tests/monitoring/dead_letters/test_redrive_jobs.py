"""Redrive and discard jobs: no loss, no repetition, an entry in the audit log."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from django.db import OperationalError
from django.utils import timezone

from messaging.models import AuditEntry, MessageEvent
from messaging.outgoing.redrive import exhausted_messages, mark_dead_lettered
from messaging.outgoing.tasks import revive
from monitoring.dead_letters import redrive_jobs
from monitoring.models import RedriveJob
from tests.messaging.outgoing.test_redrive import exhausted
from tests.monitoring.dead_letters.bodies import PHONE, RAW, SECRET, finished, on, put, task_body
from waproject.queues import LANES
from waproject.sqs import control, envelope, moving, sampling

pytestmark = pytest.mark.django_db
LANE = LANES["incoming"]
REDRIVE, DISCARD = RedriveJob.Action.REDRIVE, RedriveJob.Action.DISCARD


def request(action: RedriveJob.Action, ids: list[str] | None = None, lane: str = "incoming") -> RedriveJob:
    return redrive_jobs.request_job(LANES[lane], action, ids, "ann")


def test_a_request_is_stored_and_audited_as_it_was_made() -> None:
    job = redrive_jobs.request_job(LANE, REDRIVE, ["b", "a", "b"], "n" * 151)
    all_of_it = redrive_jobs.request_job(LANES["outgoing"], DISCARD, None, "ann")
    job.refresh_from_db()
    all_of_it.refresh_from_db()
    assert (job.lane, job.action, job.message_ids, job.total, job.requested_by) == (
        "incoming", "redrive", ["a", "b"], 2, "n" * 150,
    )  # fmt: skip
    assert (all_of_it.lane, all_of_it.action, all_of_it.message_ids, all_of_it.total) == (
        "outgoing", "discard", None, None,
    )  # fmt: skip
    entries = AuditEntry.objects.order_by("pk").values_list("action", "object", "details")
    assert list(entries) == [
        ("redrive dead letters", "dead letters incoming", {"move": job.pk, "letters": ["a", "b"]}),
        ("discard dead letters", "dead letters outgoing", {"move": all_of_it.pk, "letters": "all"}),
    ]


def test_a_stop_is_audited_once_and_due_at_once() -> None:
    job, other = request(REDRIVE), request(REDRIVE, lane="outgoing")
    later = timezone.now() + timedelta(hours=1)
    RedriveJob.objects.update(due_at=later)
    assert [redrive_jobs.stop(job.pk, "bob") for _ in range(2)] == [True, False]
    entry = AuditEntry.objects.get(action="stop moving dead letters")
    assert (entry.who, entry.object, entry.details) == ("bob", "dead letters incoming", {"move": job.pk})
    job.refresh_from_db()
    other.refresh_from_db()
    assert job.due_at <= timezone.now()
    assert (other.stop_requested_at, other.due_at) == (None, later)


def test_a_lane_shows_its_active_and_its_latest_job() -> None:
    jobs = []
    for _ in range(2):
        jobs.append(request(REDRIVE))
        RedriveJob.objects.filter(lane="incoming").update(finished_at=timezone.now())
    other = request(REDRIVE, lane="outgoing")
    assert (redrive_jobs.active_job(LANE), redrive_jobs.latest(LANE)) == (None, jobs[1])
    assert (redrive_jobs.active_job(LANES["outgoing"]), redrive_jobs.latest(LANES["outgoing"])) == (other, other)


@pytest.mark.parametrize(("days", "left"), [(89, 2), (91, 1)])
def test_a_job_is_deleted_90_days_after_its_end(days: int, left: int) -> None:
    now = timezone.now()
    request(REDRIVE)
    RedriveJob.objects.update(finished_at=now - timedelta(days=days))
    request(REDRIVE)
    redrive_jobs.delete_expired(now)
    assert RedriveJob.objects.count() == left


def test_the_job_that_is_due_longest_comes_first_and_is_leased() -> None:
    now = timezone.now()
    jobs = {name: request(REDRIVE, lane=name) for name in ("incoming", "outgoing", "analytics")}
    for name, due_s, lease_s in (("incoming", -1, None), ("outgoing", -3, -1), ("analytics", -5, 60)):
        RedriveJob.objects.filter(pk=jobs[name].pk).update(
            due_at=now + timedelta(seconds=due_s),
            lease_until=None if lease_s is None else now + timedelta(seconds=lease_s),
        )
    first, second = redrive_jobs._claim(), redrive_jobs._claim()
    assert (first, second, redrive_jobs._claim()) == (jobs["outgoing"], jobs["incoming"], None)
    lease = RedriveJob.objects.get(lane="outgoing").lease_until
    assert lease is not None and timedelta(seconds=29) < lease - now < timedelta(seconds=31)


def test_neither_a_finished_job_nor_one_that_is_due_later_is_claimed() -> None:
    request(REDRIVE)
    RedriveJob.objects.update(finished_at=timezone.now())
    request(REDRIVE)
    RedriveJob.objects.filter(finished_at=None).update(due_at=timezone.now() + timedelta(minutes=1))
    assert redrive_jobs.run_step() is False


def test_a_step_is_recorded_whole_and_releases_the_lease() -> None:
    job = request(REDRIVE, ["a", "b"])
    RedriveJob.objects.update(lease_until=timezone.now(), failures=3, error="away")
    job.total, job.idle_since, job.message_ids = 9, timezone.now(), ["b"]
    before = timezone.now()
    redrive_jobs._record(job, 20, done=4)
    row = RedriveJob.objects.get()
    assert (row.state, row.failures, row.error, row.total, row.done, row.lease_until) == ("running", 0, "", 9, 4, None)
    assert (row.idle_since, row.message_ids) == (job.idle_since, ["b"])
    assert timedelta(seconds=20) <= row.due_at - before < timedelta(seconds=50)


def test_a_step_that_ends_after_its_job_changes_nothing() -> None:
    job = request(REDRIVE)
    RedriveJob.objects.update(finished_at=timezone.now(), state="stopped")
    request(REDRIVE, lane="outgoing")
    redrive_jobs._record(job, 0, done=4)
    assert sorted(RedriveJob.objects.values_list("lane", "state", "done")) == [
        ("incoming", "stopped", 0),
        ("outgoing", "waiting", 0),
    ]


@pytest.mark.parametrize(
    ("failures", "state", "kept", "shortest", "longest"),
    [(0, "running", 1, 1, 2), (1, "running", 2, 2, 4), (6, "running", 7, 15, 30), (7, "failed", 0, 0, 0)],
)
def test_a_failed_step_is_repeated_with_back_off_and_seven_times(
    failures: int, state: str, kept: int, shortest: float, longest: float
) -> None:
    job = request(REDRIVE)
    job.failures = failures
    before = timezone.now()
    redrive_jobs._back_off(job, "away")
    row = RedriveJob.objects.get()
    waits = (row.due_at - before).total_seconds()
    assert (row.state, row.error, row.failures, row.finished_at is not None) == (state, "away", kept, state == "failed")
    assert shortest <= waits < longest + 5


@pytest.mark.parametrize(
    ("ids", "idle_s", "drained", "in_flight", "ended"),
    [
        ([], None, False, 9, True),
        (None, None, True, 0, False),
        (["a"], None, True, 0, False),
        (["a"], 119, False, 0, False),
        (["a"], 121, False, 0, True),
        (["a"], 12, True, 1, True),
        (["a"], 10, True, 1, False),
        (["a"], 1, True, 0, True),
        (None, 12, False, 1, True),
        (None, 10, False, 0, False),
        (None, 1, True, 0, True),
        (None, 1, True, 1, False),
    ],
)
def test_a_job_ends_once_none_of_its_messages_can_still_appear(
    ids: list[str] | None, idle_s: float | None, drained: bool, in_flight: int, ended: bool, *,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked: list[tuple[Any, ...]] = []

    def depth(*given: Any) -> control.Depth:
        asked.append(given)
        return control.Depth(5, in_flight, 5)

    monkeypatch.setattr(control, "depth", depth)
    idle_since = None if idle_s is None else timezone.now() - timedelta(seconds=idle_s)
    job = RedriveJob(lane="incoming", message_ids=ids, idle_since=idle_since)
    assert redrive_jobs._is_finished(job, moving.Step(drained=drained), "sqs") is ended
    assert set(asked) <= {("sqs", LANE.dlq_url)}


@pytest.mark.parametrize(
    ("missing", "drained", "outcome"),
    [
        (0, False, ("done", "")),
        (0, True, ("done", "")),
        (2, True, ("done", "2 were no longer on the queue.")),
        (2, False, ("failed", "2 were not found: the queue has too many other messages.")),
    ],
)
def test_the_outcome_of_a_job_names_what_it_did_not_find(missing: int, drained: bool, outcome: tuple[str, str]) -> None:
    assert redrive_jobs._outcome(missing, moving.Step(drained=drained)) == outcome


@pytest.mark.parametrize(
    ("action", "ids", "pace", "expected"),
    [
        (REDRIVE, None, 50, {"target": LANE.url, "limit": 100, "seconds": 2.0, "per_second": 50}),
        (REDRIVE, None, 0.2, {"target": LANE.url, "limit": 1, "seconds": 2.0, "per_second": 0.2}),
        (DISCARD, None, 50, {"target": None, "limit": 100, "seconds": 2.0, "per_second": 50}),
        (REDRIVE, ["a", "b", "c"], 50, {"target": LANE.url, "limit": 3, "seconds": 5.0, "per_second": 50}),
    ],
    ids=["all", "slowly", "discard", "selected"],
)
def test_a_step_moves_what_its_pace_allows_in_two_seconds_or_searches_for_five(
    action: RedriveJob.Action, ids: list[str] | None, pace: float, expected: dict[str, Any], *, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls: list[dict[str, Any]] = []

    def step(_: Any, source: str, target: str | None, **given: Any) -> moving.Step:
        calls.append({"source": source, "target": target, **given})
        return moving.Step(done=["a"], wait_s=7.0)

    settings.DLQ_MOVES_PER_SECOND = pace
    monkeypatch.setattr(moving, "step", step)
    job = request(action, ids)
    job.idle_since = timezone.now()
    before = timezone.now()
    redrive_jobs._step(job)
    (call,) = calls
    assert {name: call[name] for name in expected} == expected
    row = RedriveJob.objects.get()
    assert (call["source"], row.done, row.state, row.idle_since) == (LANE.dlq_url, 1, "running", None)
    assert row.message_ids == (None if ids is None else ["b", "c"])
    assert timedelta(seconds=7) <= row.due_at - before < timedelta(seconds=20)


@pytest.mark.parametrize("idle_s", [None, 5])
def test_a_step_that_finds_nothing_notes_since_when_and_is_repeated_in_two_seconds(
    idle_s: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "step", lambda *_, **__: moving.Step(wait_s=7.0))
    job = request(REDRIVE, ["a"])
    before = timezone.now()
    job.idle_since = None if idle_s is None else before - timedelta(seconds=idle_s)
    redrive_jobs._step(job)
    row = RedriveJob.objects.get()
    assert row.idle_since is not None and row.idle_since == (job.idle_since if idle_s else row.idle_since)
    assert (row.done, row.message_ids) == (0, ["a"])
    assert timedelta(seconds=2) <= row.due_at - before < timedelta(seconds=7)


def test_the_last_step_adds_to_what_was_moved_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "step", lambda *_, **__: moving.Step(done=["b"], refused=["x"]))
    job = request(REDRIVE, ["b"])
    RedriveJob.objects.update(done=4)
    redrive_jobs._step(job)
    row = RedriveJob.objects.get()
    assert (row.state, row.done, row.error, row.finished_at is not None) == ("done", 5, "", True)


def test_sqs_moves_all_messages_of_a_queue_with_the_pace_of_the_settings(
    sqs: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []

    def start(*given: Any) -> bool:
        calls.append(given[1:])
        return True

    settings.DLQ_MOVES_PER_SECOND = 30
    monkeypatch.setattr(moving, "start_move_task", start)
    put(sqs, "x", "y")
    request(REDRIVE)
    before = timezone.now()
    assert redrive_jobs.run_step() is True
    row = RedriveJob.objects.get()
    assert (row.state, row.by_sqs, row.total) == ("running", True, 2)
    assert timedelta(seconds=1) <= row.due_at - before < timedelta(seconds=20)
    ((source, target, pace),) = calls
    assert (source.rsplit(":", 1)[1], target.rsplit(":", 1)[1], pace) == (
        LANE.dlq_url.rsplit("/", 1)[1], LANE.url.rsplit("/", 1)[1], 30,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("action", "ids", "total"), [(DISCARD, None, 1), (REDRIVE, ["a", "b"], 2)], ids=["discard", "selected"]
)
def test_a_discard_and_a_selection_are_moved_in_steps(
    action: RedriveJob.Action, ids: list[str] | None, total: int, *, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "start_move_task", lambda *_: pytest.fail("moved by SQS"))
    put(sqs, "x")
    request(action, ids)
    redrive_jobs.run_step()
    row = RedriveJob.objects.get()
    assert (row.state, row.by_sqs, row.total) == ("running", False, total)
    assert row.due_at <= timezone.now()


def test_a_request_of_a_job_has_five_seconds(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AWS_REGION = "eu-central-1"
    monkeypatch.setattr(control, "client", lambda *given: given)
    assert redrive_jobs._sqs() == ("eu-central-1", 5.0)


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


@pytest.mark.parametrize(("status", "state"), [("COMPLETED", "done"), ("FAILED", "failed"), ("CANCELLED", "stopped")])
def test_a_move_task_of_sqs_is_followed_to_its_end(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, status: str, state: str
) -> None:
    tasks = [moving.MoveTask("RUNNING", "h", 4, ""), moving.MoveTask(status, "", 7, "why" * 120)]
    asked: list[str] = []

    def move_task(_: Any, source: str) -> moving.MoveTask:
        asked.append(source.rsplit(":", 1)[1])
        return tasks.pop(0)

    monkeypatch.setattr(moving, "start_move_task", lambda *_: True)
    monkeypatch.setattr(moving, "move_task", move_task)
    job = finished(request(REDRIVE))
    assert (job.state, job.done, job.by_sqs) == (state, 7, True)
    assert job.error == (f"SQS failed: {'why' * 120}"[:300] if state == "failed" else "")
    assert asked == [LANE.dlq_url.rsplit("/", 1)[1]] * 2


@pytest.mark.parametrize("status", ["RUNNING", "CANCELLING"])
def test_a_move_task_of_sqs_is_looked_at_again_after_a_second(
    sqs: Any, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "move_task", lambda *_: moving.MoveTask(status, "h", 4, ""))
    request(REDRIVE)
    RedriveJob.objects.update(by_sqs=True)
    before = timezone.now()
    redrive_jobs.run_step()
    row = RedriveJob.objects.get()
    assert (row.state, row.done) == ("running", 4)
    assert timedelta(seconds=1) <= row.due_at - before < timedelta(seconds=20)


def test_a_move_task_that_sqs_forgot_has_moved_what_it_said_last(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "move_task", lambda *_: None)
    request(REDRIVE)
    RedriveJob.objects.update(by_sqs=True, done=4)
    redrive_jobs.run_step()
    assert list(RedriveJob.objects.values_list("state", "done", "error")) == [("done", 4, "")]


@pytest.mark.parametrize(("by_sqs", "cancels"), [(True, [LANE.dlq_url.rsplit("/", 1)[1]]), (False, [])])
def test_a_stop_ends_the_move_task_of_sqs(
    sqs: Any, by_sqs: bool, cancels: list[str], *, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(moving, "cancel_move_task", lambda _, source: cancelled.append(source.rsplit(":", 1)[1]))
    job = request(REDRIVE)
    RedriveJob.objects.update(by_sqs=by_sqs, state="running", done=4)
    redrive_jobs.stop(job.pk, "bob")
    redrive_jobs.run_step()
    assert (list(RedriveJob.objects.values_list("state", "done")), cancelled) == ([("stopped", 4)], cancels)


def test_a_request_that_gets_no_answer_of_sqs_is_named_by_its_error(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr(control, "depth", away)
    request(REDRIVE)
    assert redrive_jobs.run_step() is True
    assert RedriveJob.objects.get().error == "SQS refused the request: EndpointConnectionError."


def test_an_outage_of_the_database_is_no_failure_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: RedriveJob) -> None:
        raise OperationalError

    monkeypatch.setattr(redrive_jobs, "_start", away)
    request(REDRIVE)
    with pytest.raises(OperationalError):
        redrive_jobs.run_step()
    assert RedriveJob.objects.get().failures == 0


@pytest.mark.parametrize("outage", [None, OperationalError(), ValueError()], ids=["idle", "no database", "a fault"])
def test_the_runner_runs_steps_until_it_is_stopped_and_rests_without_one(
    outage: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive_jobs, "connection", SimpleNamespace(close=lambda: None))
    runner = redrive_jobs.RedriveRunner()
    steps, rests = iter([True, True, outage or False]), list[float]()

    def run_step() -> bool:
        made = next(steps)
        if isinstance(made, Exception):
            raise made
        return made

    def rest(seconds: float) -> None:
        rests.append(seconds)
        runner._stopping.set()

    monkeypatch.setattr(redrive_jobs, "run_step", run_step)
    monkeypatch.setattr(runner._stopping, "wait", rest)
    runner.run()
    assert (rests, next(steps, None), runner.name, runner.daemon) == ([1.0], None, "dead-letters", True)
