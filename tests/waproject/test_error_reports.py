"""What of an event may leave the process."""

from typing import Any

import pytest

from waproject.error_reports import scrubbed

EVENT: dict[str, Any] = {
    "event_id": "abc",
    "timestamp": "2026-11-26T00:00:00Z",
    "level": "error",
    "platform": "python",
    "logger": "messaging",
    "transaction": "/messaging/campaigns/+15551230001/hold",
    "logentry": {"message": "SQS refuses %s", "formatted": "SQS refuses Hello Ann", "params": ["Hello Ann"]},
    "exception": {
        "values": [
            {
                "type": "IntegrityError",
                "module": "django.db",
                "value": "Failing row contains (Hello Ann)",
                "stacktrace": {
                    "frames": [
                        {"filename": "a.py", "function": "f", "lineno": 3, "vars": {"text": "Hello Ann"},
                         "context_line": "x = 'Hello Ann'"}
                    ]
                },
            }
        ]
    },
    "request": {"url": "https://x/?phone_number=15551230001", "headers": {"Authorization": "Bearer wak_a_b"},
                "data": "Hello Ann", "cookies": "sessionid=Hello Ann", "query_string": "phone_number=15551230001"},
    "user": {"username": "Ann", "ip_address": "203.0.113.7"},
    "breadcrumbs": {"values": [{"message": "Hello Ann"}]},
    "extra": {"message_id": "01a2164a-68e8-741b-b60d-3e6cae5ac28f", "text": "Hello Ann", "sys.argv": ["Hello Ann"]},
    "contexts": {"runtime": {"name": "CPython"}, "celery-job": {"args": ["Hello Ann"]}},
    "tags": {"who": "Ann"},
    "modules": {"django": "5"},
    "something_new": "Hello Ann",
}  # fmt: skip


def test_nothing_personal_is_left() -> None:
    text = str(scrubbed(EVENT))
    assert [words for words in ("Ann", "1555123", "wak_", "203.0.113", "sessionid") if words in text] == []


def test_where_our_code_failed_is_left() -> None:
    event = scrubbed(EVENT)
    (value,) = event["exception"]["values"]
    assert (value["type"], value["module"]) == ("IntegrityError", "django.db")
    assert value["stacktrace"]["frames"] == [{"filename": "a.py", "function": "f", "lineno": 3}]
    assert event["logentry"] == {"message": "SQS refuses %s"}
    assert event["extra"] == {"message_id": "01a2164a-68e8-741b-b60d-3e6cae5ac28f"}


@pytest.mark.parametrize("event", [{}, {"exception": {"values": []}}, {"exception": {"values": [{}]}}, {"extra": None}])
def test_an_event_of_any_form_can_be_scrubbed(event: dict[str, Any]) -> None:
    assert isinstance(scrubbed(event), dict)
