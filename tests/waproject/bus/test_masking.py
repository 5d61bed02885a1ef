"""No phone number and no message text gets on the bus."""

import json

import pytest

from waproject.bus import masking

SECRET = "+15551230001 Hello"


@pytest.mark.parametrize("field", ["args", "kwargs", "result", "traceback", "phone", "queue"])
def test_only_known_harmless_fields_are_sent(field: str) -> None:
    assert masking.event({"type": "task-received", "uuid": "1", field: SECRET}) == {
        "type": "task-received",
        "uuid": "1",
    }


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        (f"ValueError('{SECRET}')", "ValueError"),
        (f"django.db.utils.DataError('{SECRET}')", "django.db.utils.DataError"),
        (SECRET, None),
        ("", None),
    ],
)
def test_only_the_class_of_an_exception_is_sent(shown: str, kept: str | None) -> None:
    assert masking.event({"type": "task-failed", "exception": shown}).get("exception") == kept


def test_an_answer_shows_a_task_but_not_its_arguments() -> None:
    request = {"id": "1", "name": "messaging.send", "args": [SECRET], "kwargs": {"to": SECRET}}
    answer = masking.reply([{"request": request, "eta": None}])
    assert answer == [{"request": {"id": "1", "name": "messaging.send", "args": "…", "kwargs": "…"}, "eta": None}]


def test_an_answer_of_any_types_can_be_sent() -> None:
    assert json.dumps(masking.reply({"ids": {1}, 2: (b"x", None, 1.5, object)}))
