"""The format of log lines."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from waproject.logs.context import log_context
from waproject.logs.format import formatter, name_process, process_name

REFUSED = "null value violates a constraint\nDETAIL:  Failing row contains (5, secret words,\nmore words)."


def written(words: str, *args: object, style: str = "json", error: Exception | None = None, **fields: Any) -> str:
    """A line of the logger `x`."""
    info = None
    if error is not None:
        try:
            raise error
        except type(error) as caught:
            info = (type(caught), caught, caught.__traceback__)
    record = logging.getLogger("x").makeRecord("x", logging.ERROR, "", 0, words, args, info, extra=fields)
    return formatter(style).format(record)


def line(*given: Any, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written(*given, **fields))
    return found


def test_a_log_record_is_one_json_object_on_one_line() -> None:
    text = written("two\nlines")
    assert (json.loads(text)["event"], "\n" in text) == ("two\nlines", False)


def test_a_line_has_its_time_origin_and_level() -> None:
    assert {"timestamp", "level", "logger", "process", "pid", "event"} <= set(line("hello"))


def test_a_line_has_the_ids_of_the_current_request_or_task() -> None:
    with log_context(request_id="r-1", task_id="t-1"):
        assert {"request_id": "r-1", "task_id": "t-1"}.items() <= line("hello").items()
    assert "request_id" not in line("hello")


def test_known_fields_are_written() -> None:
    assert line("task", outcome="ok", run_ms=1.5)["run_ms"] == 1.5


def test_unknown_fields_are_not_written() -> None:
    assert "request" not in line("Not Found", request="/messages?phone_number=15551230001")


def test_rows_quoted_by_postgresql_are_removed() -> None:
    text = written("failed: %r", ValueError(REFUSED), error=ValueError(REFUSED))
    assert ("secret words" in text, "more words" in text) == (False, False)


def test_the_error_itself_is_still_logged() -> None:
    found = line("failed", error=ValueError(REFUSED))
    assert ("null value violates" in found["exception"], "Traceback" in found["exception"]) == (True, True)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_phone_number_in_text_arguments_fields_or_an_exception_is_masked(style: str) -> None:
    text = written(
        "to 15551230001 %s %d", "+15551230001", 15551230001, style=style, path="/15551230001",
        status=15551230001, error=ValueError("no such user: 15551230001"),
    )  # fmt: skip
    assert "15551230001" not in text


def test_the_console_format_is_readable_text() -> None:
    text = written("took the lane", style="console", queue="incoming")
    assert ("took the lane" in text, "queue=incoming" in text) == (True, True)


def test_a_line_is_this_and_nothing_more() -> None:
    before = process_name()
    name_process("web")
    with log_context(request_id="r-1"):
        found = line("hello %s", "you", queue="incoming")
    name_process(before)
    assert datetime.fromisoformat(found.pop("timestamp")).tzinfo is UTC
    assert found == {
        "event": "hello you", "level": "error", "logger": "x", "process": "web", "pid": os.getpid(),
        "queue": "incoming", "request_id": "r-1",
    }  # fmt: skip


def test_the_text_of_a_line_stays_readable() -> None:
    assert "größer" in written("größer")


@pytest.mark.parametrize(("is_terminal", "coloured"), [(True, True), (False, False)])
def test_the_console_format_has_colours_on_a_terminal_only(
    is_terminal: bool, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
    assert ("\x1b[" in written("hello", style="console")) is coloured


def test_the_console_format_shows_no_local_variables() -> None:
    secret = "of this frame"
    text = written("failed", style="console", error=ValueError("wrong"))
    assert ("wrong" in text, secret in text) == (True, False)
