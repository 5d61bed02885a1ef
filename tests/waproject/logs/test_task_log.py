"""The log line and the metrics of a task."""

import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app.task import Context

from waproject.logs import task_log
from waproject.logs.context import log_context
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
