"""The ids that log lines of a request or task have."""

from uuid import UUID

import pytest

from waproject.logs.context import TouchedMessages, current_request_id, is_request_id, log_context, note_messages
from waproject.logs.throttle import LogThrottle

IDS = [UUID(int=n) for n in range(1, 13)]


def test_a_line_has_the_number_of_all_messages_and_the_ids_of_the_first_ten() -> None:
    touched = TouchedMessages()
    touched.add([*IDS, IDS[0]])
    assert touched.fields() == {"messages": 12, "message_ids": [str(one) for one in IDS[:10]]}


def test_messages_belong_to_the_innermost_context() -> None:
    with log_context(task="outer") as outer:
        with log_context(task="inner") as inner:
            note_messages(IDS[:1])
        note_messages(IDS[:2])
    note_messages(IDS[:3])
    assert (outer.fields()["messages"], inner.fields()["messages"]) == (2, 1)


def test_without_messages_a_line_has_no_field_for_them() -> None:
    assert TouchedMessages().fields() == {}


def test_a_contexts_ids_end_with_it() -> None:
    with log_context(request_id="r-1"):
        with log_context(request_id="r-2"):
            assert current_request_id() == "r-2"
        assert current_request_id() == "r-1"
    assert current_request_id() == ""


@pytest.mark.parametrize(
    ("value", "valid"),
    [("x" * 64, True), ("aZ9._=:-", True), ("x" * 65, False), ("", False), ("a\n", False), (7, False), (None, False)],
)
def test_a_request_id_is_short_and_safe_to_log(value: object, valid: bool) -> None:
    assert is_request_id(value) is valid


def test_one_line_in_an_interval_is_admitted_with_the_count_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 105.0, 109.9, 110.0, 119.9, 200.0, 210.0])
    monkeypatch.setattr("waproject.logs.throttle.time.monotonic", lambda: next(now))
    lines = LogThrottle(10.0)
    assert [lines.admit() for _ in range(7)] == [0, None, None, 2, None, 1, 0]
