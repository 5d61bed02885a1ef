"""The log line and the metrics of a task."""

import logging
import time
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from celery.app.task import Context

from waproject.logs import task_log
from waproject.logs.context import current_request_id, log_context, note_messages
from waproject.metrics import counters


def ran(state: str, caplog: pytest.LogCaptureFixture, **headers: Any) -> Any:
    """The line of a task with these headers that ended so."""
    task = SimpleNamespace(name="messaging.receive", request=Context({"id": "t-1", **headers}))
    caplog.clear()
    with caplog.at_level(logging.INFO, task_log.logger.name):
        task_log.begin(task)
        task_log.end(task, state)
    (line,) = caplog.records
    return line


@pytest.mark.parametrize(
    ("state", "outcome", "level"),
    [
        ("SUCCESS", "ok", "INFO"),
        ("FAILURE", "failed", "WARNING"),
        ("RETRY", "retried", "WARNING"),
        ("REJECTED", "rejected", "WARNING"),
        ("IGNORED", "other", "WARNING"),
    ],
)
def test_a_tasks_line_says_how_it_ended(state: str, outcome: str, level: str, caplog: pytest.LogCaptureFixture) -> None:
    line = ran(state, caplog)
    assert (line.getMessage(), line.outcome, line.levelname, 0 <= line.run_ms < 5000) == ("task", outcome, level, True)


@pytest.mark.parametrize(
    ("headers", "joined", "waits"),
    [({}, None, False), ({"joined": 3, "sqs_sent_at": 1}, 3, True), ({"joined": "x", "sqs_sent_at": 0}, None, False)],
)
def test_a_tasks_line_has_how_many_joined_and_how_long_the_message_waited(
    headers: dict[str, Any], joined: int | None, waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    line = ran("SUCCESS", caplog, **headers)
    assert (getattr(line, "joined", None), hasattr(line, "wait_ms")) == (joined, waits)


def test_the_wait_is_from_the_send_to_the_start(caplog: pytest.LogCaptureFixture) -> None:
    sent_at = int((time.time() - 4) * 1000)
    assert 4000 <= ran("SUCCESS", caplog, sqs_sent_at=sent_at).wait_ms < 14_000


@pytest.mark.parametrize(
    ("headers", "ids"),
    [
        ({"request_id": "r-1"}, {"request_id": "r-1"}),
        ({"request_ids": ["r-1", "r-2", "a b", 7]}, {"request_ids": ["r-1", "r-2"]}),
        ({"request_id": "two words"}, {}),
        ({}, {}),
    ],
)
def test_lines_of_a_task_name_it_and_the_requests_that_published_it(
    headers: dict[str, Any], ids: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[dict[str, Any]] = []

    def noted(**fields: Any) -> Any:
        found.append(fields)
        return log_context(**fields)

    monkeypatch.setattr(task_log, "log_context", noted)
    task = SimpleNamespace(name="t", request=Context({"id": "t-1", **headers}))
    task_log.begin(task)
    task_log.end(task, "SUCCESS")
    assert found == [{"task": "t", "task_id": "t-1", **ids}]


def test_a_task_that_never_began_has_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, task_log.logger.name):
        task_log.end(SimpleNamespace(name="t", request=Context({"id": "1"})), "SUCCESS")
    assert caplog.records == []


def test_a_run_is_counted_by_task_and_outcome(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[Any, ...]] = []
    monkeypatch.setattr(counters, "TASK_SECONDS", SimpleNamespace(observe=lambda *given: counted.append(given)))
    ran("FAILURE", caplog)
    ((seconds, *labels),) = counted
    assert (0 <= seconds < 5, labels) == (True, ["messaging.receive", "failed"])


def test_a_line_has_the_time_that_its_task_took_and_its_messages(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = SimpleNamespace(name="messaging.receive", request=Context({"id": "t-1", "sqs_sent_at": 1000_000}))
    times = iter([12.0, 12.34567])
    monkeypatch.setattr("waproject.logs.task_log.time.perf_counter", lambda: next(times))
    monkeypatch.setattr("waproject.logs.task_log.time.time", lambda: 1001.23456)
    with caplog.at_level(logging.INFO, task_log.logger.name):
        task_log.begin(task)
        note_messages([UUID(int=1)])
        task_log.end(task, "SUCCESS")
    (line,) = caplog.records
    assert (line.run_ms, line.wait_ms, line.message_ids) == (345.7, 1234.6, [str(UUID(int=1))])  # type: ignore[attr-defined]


def test_the_waits_of_tasks_are_counted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[Any, ...]] = []
    monkeypatch.setattr(counters, "TASK_WAIT", SimpleNamespace(observe=lambda *given: waits.append(given)))
    monkeypatch.setattr("waproject.logs.task_log.time.time", lambda: 1001.5)
    for sent_at in (1000_000, 1002_000, None):
        task = SimpleNamespace(name="t", request=Context({"id": "t-1", "sqs_sent_at": sent_at}))
        task_log.begin(task)
        task_log.end(task, "SUCCESS")
    assert waits == [(1.5, "t"), (0.0, "t")]


def test_after_a_task_no_line_has_its_ids() -> None:
    task = SimpleNamespace(name="t", request=Context({"id": "t-1", "request_id": "r-1"}))
    task_log.begin(task)
    assert current_request_id() == "r-1"
    task_log.end(task, "SUCCESS")
    assert current_request_id() == ""


def test_a_task_names_no_more_than_ten_requests() -> None:
    found = task_log._requests({"request_ids": [f"r-{n}" for n in range(12)]})
    assert found == {"request_ids": [f"r-{n}" for n in range(10)]}


def test_a_child_process_flushes_its_metrics_at_its_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(counters, "flush", lambda: flushed.append("exit"))
    monkeypatch.setattr("waproject.metrics.flushing.start_flushing", lambda: flushed.append("start"))
    task_log.flush_metrics()
    task_log.flush_metrics_at_exit()
    assert flushed == ["start", "exit"]


@pytest.mark.parametrize(
    ("request_id", "headers", "kept"),
    [
        ("r-1", {}, {"request_id": "r-1"}),
        ("", {"request_id": "old"}, {}),
        ("", {}, {}),
        ("r", {"x": 1}, {"request_id": "r", "x": 1}),
    ],
)
def test_a_published_task_carries_its_request(request_id: str, headers: Any, kept: Any) -> None:
    with log_context(request_id=request_id):
        task_log.add_request_id(headers)
    assert headers == kept
