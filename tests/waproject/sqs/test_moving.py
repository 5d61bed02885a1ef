"""Messages move by copy, then delete: a kill may double one and never loses one."""

import json
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.waproject.sqs.doubles.recording import (
    QUEUE,
    REFUSED,
    TARGET,
    Recording,
    all_done,
    counted,
    from_sqs,
    message,
)
from waproject.sqs import moving
from waproject.sqs.moving import MoveTask, Step
from waproject.sqs.sampling import SampledMessage

AWAY = EndpointConnectionError(endpoint_url=QUEUE)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    # Of this module alone: threads of other tests may sleep too.
    monkeypatch.setattr("waproject.sqs.moving.time", SimpleNamespace(sleep=made.append, monotonic=time.monotonic))
    return made


def moved(
    sqs: Recording, target: str | None = TARGET, *, limit: int = 100, seconds: float = 60.0, unwanted: str = "-"
) -> tuple[Step, list[str]]:
    """A step, and the ids that `before` was called with."""
    announced: list[str] = []

    def before(batch: Sequence[SampledMessage]) -> None:
        announced.extend(one.message_id for one in batch)
        assert "delete_message_batch" not in sqs.names[-1:]

    step = moving.step(
        sqs, QUEUE, target, wanted=lambda one: one.message_id != unwanted, before=before,
        per_second=10.0, limit=limit, seconds=seconds,
    )  # fmt: skip
    return step, announced


def two() -> dict[str, Any]:
    return {"Messages": [from_sqs("a"), from_sqs("b")]}


def test_messages_are_received_sent_and_then_deleted() -> None:
    sqs = Recording(two(), all_done(0, 1), all_done(0, 1), {})
    assert moved(sqs) == (Step(done=["a", "b"], refused=[], drained=True), ["a", "b"])
    assert sqs.names == ["receive_message", "send_message_batch", "delete_message_batch", "receive_message"]
    assert [asked["QueueUrl"] for _, asked in sqs.asked] == [QUEUE, TARGET, QUEUE, QUEUE]
    assert sqs.asked[0][1]["VisibilityTimeout"] == 20


def test_without_a_target_messages_are_deleted_alone() -> None:
    sqs = Recording(two(), all_done(0, 1), {})
    assert moved(sqs, None)[0].done == ["a", "b"]
    assert "send_message_batch" not in sqs.names


def test_what_sqs_does_not_take_is_not_deleted_but_given_back() -> None:
    sqs = Recording(two(), all_done(1), all_done(0), {})
    assert moved(sqs)[0] == Step(["b"], ["a"], True)
    assert [entry["ReceiptHandle"] for entry in sqs.asked[2][1]["Entries"]] == ["B"]
    assert [entry["ReceiptHandle"] for entry in sqs.asked[-1][1]["Entries"]] == ["A"]


def test_unwanted_messages_are_given_back_at_the_end() -> None:
    sqs = Recording(two(), all_done(0), all_done(0), {})
    assert moved(sqs, unwanted="a") == (Step(["b"], [], True), ["b"])
    assert sqs.names[-1] == "change_message_visibility_batch"
    assert [entry["ReceiptHandle"] for entry in sqs.asked[-1][1]["Entries"]] == ["A"]


def test_a_batch_of_unwanted_messages_sends_nothing() -> None:
    sqs = Recording({"Messages": [from_sqs("a")]}, {})
    assert moved(sqs, unwanted="a") == (Step([], [], True), [])
    assert sqs.names == ["receive_message", "receive_message", "change_message_visibility_batch"]


def test_a_copied_message_whose_delete_failed_is_not_done() -> None:
    assert moved(Recording(two(), all_done(0, 1), all_done(0), {}))[0].done == ["a"]


@pytest.mark.parametrize(("limit", "receives"), [(1, 1), (2, 1), (3, 2)])
def test_a_step_ends_at_its_limit(limit: int, receives: int) -> None:
    sqs = Recording(two(), all_done(0, 1), all_done(0, 1), two(), all_done(0, 1), all_done(0, 1))
    step, _ = moved(sqs, limit=limit)
    assert (sqs.names.count("receive_message"), step.drained) == (receives, False)


def test_a_step_ends_after_its_seconds() -> None:
    sqs = Recording(two())
    assert (moved(sqs, seconds=0.0)[0], sqs.asked) == (Step(), [])


def test_a_step_keeps_its_pace(pauses: list[float]) -> None:
    moved(Recording(two(), all_done(0, 1), all_done(0, 1), {}))
    assert pauses == [pytest.approx(0.2, abs=0.1)]


@pytest.mark.parametrize("error", [REFUSED, AWAY])
def test_an_error_before_anything_moved_is_raised_and_the_rest_given_back(error: Exception) -> None:
    sqs = Recording(two(), error)
    with pytest.raises(type(error)):
        moved(sqs, unwanted="a")
    assert sqs.asked[-1][1]["Entries"][0]["ReceiptHandle"] == "A"


@pytest.mark.parametrize("error", [REFUSED, AWAY])
def test_an_error_after_a_batch_keeps_what_was_done(error: Exception) -> None:
    assert moved(Recording(two(), all_done(0, 1), all_done(0, 1), error))[0] == Step(["a", "b"], [], False)


def test_a_copy_has_the_attributes_of_its_message_and_no_retries() -> None:
    task = json.dumps({"body": "[]", "headers": {"id": "1", "retries": 3, "eta": "2030-01-01", "expires": None}})
    who = {"who": {"DataType": "String", "StringValue": "me"}}
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    sqs = Recording(all_done(0, 1))
    with counted() as counts:
        taken = moving.send_again(
            sqs, TARGET, [message("a", task, attributes=who, system_attributes=trace), message("b", "raw")]
        )
    fresh = '{"body":"[]","headers":{"id":"1","retries":0,"eta":null,"expires":null}}'
    assert [one.message_id for one in taken] == ["a", "b"]
    assert sqs.asked == [("send_message_batch", {"QueueUrl": TARGET, "Entries": [
        {"Id": "0", "MessageBody": fresh, "MessageAttributes": who, "MessageSystemAttributes": trace},
        {"Id": "1", "MessageBody": "raw"},
    ]})]  # fmt: skip
    assert counts.requests == [("target", "SendMessageBatch", "asked")]


HALF, WEIGHT = "x" * 524_288, {"n": {"DataType": "String", "StringValue": "abc"}}


@pytest.mark.parametrize(
    ("messages", "sizes"),
    [
        ([], []),
        ([message(str(n)) for n in range(10)], [10]),
        ([message(str(n)) for n in range(21)], [10, 10, 1]),
        ([message("a", HALF), message("b", HALF)], [2]),
        ([message("a", HALF), message("b", HALF), message("c", "x")], [2, 1]),
        ([message("a", HALF), message("b", f"{HALF}x")], [1, 1]),
        ([message("a", HALF), message("b", HALF[10:], attributes=WEIGHT)], [2]),
        ([message("a", HALF), message("b", HALF[9:], attributes=WEIGHT)], [1, 1]),
        ([message("a", "x" * 1_100_000), message("b")], [1, 1]),
    ],
    ids=["none", "ten", "21", "1 MiB", "after 1 MiB", "over 1 MiB", "attributes", "attributes over", "too large"],
)
def test_a_batch_has_ten_messages_and_one_mebibyte_at_most(messages: list[SampledMessage], sizes: list[int]) -> None:
    sqs = Recording(*[all_done()] * 3)
    moving.send_again(sqs, TARGET, messages)
    assert [len(asked["Entries"]) for _, asked in sqs.asked] == sizes


def test_what_was_sent_before_a_request_failed_is_deleted_and_the_rest_given_back() -> None:
    received = {"Messages": [from_sqs("a", body=HALF), from_sqs("b", body=f"{HALF}x")]}
    sqs = Recording(received, all_done(0), REFUSED, all_done(0))
    assert moved(sqs)[0] == Step(["a"], ["b"], True)
    assert [entry["ReceiptHandle"] for entry in sqs.asked[3][1]["Entries"]] == ["A"]
    assert [entry["ReceiptHandle"] for entry in sqs.asked[-1][1]["Entries"]] == ["B"]


@pytest.mark.parametrize(("per_second", "pace"), [(0.2, 1), (1.9, 1), (50.0, 50), (500.0, 500), (900.0, 500)])
def test_a_move_task_starts_at_a_pace_that_sqs_allows(per_second: float, pace: int) -> None:
    sqs = Recording({"Results": []}, {})
    assert moving.start_move_task(sqs, "arn:a", "arn:b", per_second)
    asked = {"SourceArn": "arn:a", "DestinationArn": "arn:b", "MaxNumberOfMessagesPerSecond": pace}
    assert sqs.asked[1] == ("start_message_move_task", asked)


@pytest.mark.parametrize(
    ("status", "started"), [("RUNNING", False), ("COMPLETED", True), ("FAILED", True), ("CANCELLED", True)]
)
def test_a_running_move_task_is_not_started_twice(status: str, started: bool) -> None:
    sqs = Recording({"Results": [{"Status": status}]}, {})
    assert moving.start_move_task(sqs, "arn:a", "arn:b", 50)
    assert ("start_message_move_task" in sqs.names) is started


@pytest.mark.parametrize("answers", [[REFUSED], [{}, REFUSED]], ids=["list", "start"])
def test_a_move_task_that_sqs_refuses_is_not_used(answers: list[Any]) -> None:
    assert moving.start_move_task(Recording(*answers), "arn:a", "arn:b", 50) is False


@pytest.mark.parametrize(
    ("answer", "task"),
    [
        ({}, None),
        ({"Results": []}, None),
        ({"Results": [{}]}, MoveTask("", "", 0, "")),
        (
            {"Results": [{
                "Status": "FAILED", "TaskHandle": "h", "ApproximateNumberOfMessagesMoved": "12", "FailureReason": "why",
            }]},
            MoveTask(status="FAILED", handle="h", moved=12, reason="why"),
        ),
    ],
    ids=["no answer", "none", "bare", "whole"],
)  # fmt: skip
def test_the_latest_move_task_is_read(answer: dict[str, Any], task: MoveTask | None) -> None:
    sqs = Recording(answer)
    assert moving.move_task(sqs, "arn:a") == task
    assert sqs.asked == [("list_message_move_tasks", {"SourceArn": "arn:a", "MaxResults": 1})]


LIST = ("list_message_move_tasks", {"SourceArn": "arn:a", "MaxResults": 1})


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        (
            [{"Results": [{"Status": "RUNNING", "TaskHandle": "h"}]}],
            [("cancel_message_move_task", {"TaskHandle": "h"})],
        ),
        ([{"Results": [{"Status": "COMPLETED"}]}], []),
        ([{}], []),
        (
            [{"Results": [{"TaskHandle": "h"}]}, REFUSED, {"Results": [{"Status": "COMPLETED"}]}],
            [("cancel_message_move_task", {"TaskHandle": "h"}), LIST],
        ),
        ([{"Results": [{"TaskHandle": "h"}]}, REFUSED, {}], [("cancel_message_move_task", {"TaskHandle": "h"}), LIST]),
    ],
    ids=["running", "ended", "none", "ended meanwhile", "forgotten meanwhile"],
)
def test_only_a_running_move_task_is_cancelled(answers: list[Any], asked: list[tuple[str, Any]]) -> None:
    sqs = Recording(*answers)
    moving.cancel_move_task(sqs, "arn:a")
    assert sqs.asked[1:] == asked


RUNNING = {"Results": [{"Status": "RUNNING", "TaskHandle": "h"}]}


@pytest.mark.parametrize("answers", [[REFUSED], [RUNNING, REFUSED, RUNNING]], ids=["not found", "not cancelled"])
def test_a_move_task_that_may_still_run_is_not_taken_for_cancelled(answers: list[Any]) -> None:
    with pytest.raises(ClientError):
        moving.cancel_move_task(Recording(*answers), "arn:a")


def test_a_slow_pace_does_not_prolong_a_step_but_delays_the_next(pauses: list[float]) -> None:
    step, _ = moved(Recording(two(), all_done(0, 1), all_done(0, 1), {}), seconds=0.1)
    assert [*pauses, step.wait_s] == [pytest.approx(0.1, abs=0.05)] * 2


def test_an_error_that_is_none_of_sqs_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        moved(Recording(two(), all_done(0, 1), all_done(0, 1), ZeroDivisionError()))
    with pytest.raises(ClientError):
        moved(Recording(REFUSED))
