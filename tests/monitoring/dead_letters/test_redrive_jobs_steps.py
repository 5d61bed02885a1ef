"""Redrive jobs step by step: requests, leases, limits, progress, ends."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from django.db import OperationalError
from django.utils import timezone

from messaging.models import AuditEntry
from monitoring.dead_letters import redrive_jobs
from monitoring.models import RedriveJob
from tests.monitoring.dead_letters.bodies import finished, put
from waproject.queues import LANES
from waproject.sqs import control, moving

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


def test_a_successful_step_forgets_failures_and_releases_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "step", lambda *_, **__: moving.Step(done=["a"], wait_s=20))
    request(REDRIVE, ["a", "b"])
    RedriveJob.objects.update(state="running", failures=3, error="away")
    before = timezone.now()
    redrive_jobs.run_step()
    row = RedriveJob.objects.get()
    assert (row.state, row.failures, row.error, row.total, row.done, row.lease_until) == ("running", 0, "", 2, 1, None)
    assert timedelta(seconds=20) <= row.due_at - before < timedelta(seconds=50)


def test_a_step_that_ends_after_its_job_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(*_: Any, **__: Any) -> moving.Step:
        RedriveJob.objects.filter(lane="incoming").update(finished_at=timezone.now(), state="stopped")
        return moving.Step(done=["a"])

    monkeypatch.setattr(moving, "step", step)
    request(REDRIVE)
    RedriveJob.objects.update(state="running")
    request(REDRIVE, lane="outgoing")
    redrive_jobs.run_step()
    assert sorted(RedriveJob.objects.values_list("lane", "state", "done")) == [
        ("incoming", "stopped", 0),
        ("outgoing", "waiting", 0),
    ]


@pytest.mark.parametrize(
    ("failures", "state", "kept", "shortest", "longest"),
    [(0, "running", 1, 1, 2), (1, "running", 2, 2, 4), (6, "running", 7, 15, 30), (7, "failed", 0, 0, 0)],
)
def test_a_failed_step_is_retried_seven_times_with_back_off(
    failures: int, state: str, kept: int, shortest: float, longest: float, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr(moving, "step", broken)
    request(REDRIVE)
    RedriveJob.objects.update(state="running", failures=failures)
    before = timezone.now()
    redrive_jobs.run_step()
    row = RedriveJob.objects.get()
    assert (row.state, row.failures, row.finished_at is not None) == (state, kept, state == "failed")
    assert row.error == "SQS refused the request: EndpointConnectionError."
    assert shortest <= (row.due_at - before).total_seconds() < longest + 5


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
