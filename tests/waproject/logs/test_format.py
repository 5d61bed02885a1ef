"""What a log line looks like."""

import json
import logging
from typing import Any

import pytest

from waproject.logs.context import work
from waproject.logs.format import formatter

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


def test_it_is_one_object_on_one_line() -> None:
    text = written("two\nlines")
    assert (json.loads(text)["event"], "\n" in text) == ("two\nlines", False)


def test_it_says_when_where_and_how_bad() -> None:
    assert {"timestamp", "level", "logger", "process", "pid", "event"} <= set(line("hello"))


def test_it_has_the_ids_of_the_work_under_way() -> None:
    with work(request_id="r-1", task_id="t-1"):
        assert {"request_id": "r-1", "task_id": "t-1"}.items() <= line("hello").items()
    assert "request_id" not in line("hello")


def test_fields_that_we_know_are_written() -> None:
    assert line("task", outcome="ok", run_ms=1.5)["run_ms"] == 1.5


def test_an_object_that_somebody_attached_is_not() -> None:
    assert "request" not in line("Not Found", request="/messages?phone_number=15551230001")


def test_what_postgresql_quotes_is_left_out() -> None:
    text = written("failed: %r", ValueError(REFUSED), error=ValueError(REFUSED))
    assert ("secret words" in text, "more words" in text) == (False, False)


def test_what_went_wrong_is_still_said() -> None:
    found = line("failed", error=ValueError(REFUSED))
    assert ("null value violates" in found["exception"], "Traceback" in found["exception"]) == (True, True)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_phone_number_in_words_arguments_fields_or_an_exception_is_masked(style: str) -> None:
    text = written(
        "to 15551230001 %s %d", "+15551230001", 15551230001, style=style, path="/15551230001",
        status=15551230001, error=ValueError("no such user: 15551230001"),
    )  # fmt: skip
    assert "15551230001" not in text


def test_people_get_words() -> None:
    text = written("took the lane", style="console", queue="incoming")
    assert ("took the lane" in text, "queue=incoming" in text) == (True, True)
