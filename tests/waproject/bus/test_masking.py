"""No phone number and no message text gets on the bus."""

import json

import pytest

from waproject.bus import masking

SECRET = "+15551230001 Hello"


@pytest.mark.parametrize("field", ["args", "kwargs", "result", "traceback", "phone", "queue"])
def test_a_field_that_is_not_known_to_be_harmless_stays_behind(field: str) -> None:
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
def test_of_an_exception_only_its_class_remains(shown: str, kept: str | None) -> None:
    assert masking.event({"type": "task-failed", "exception": shown}).get("exception") == kept


def test_an_answer_shows_a_task_but_not_its_arguments() -> None:
    request = {"id": "1", "name": "messaging.send", "args": [SECRET], "kwargs": {"to": SECRET}}
    answer = masking.reply([{"request": request, "eta": None}])
    assert answer == [{"request": {"id": "1", "name": "messaging.send", "args": "…", "kwargs": "…"}, "eta": None}]


def test_an_answer_of_any_types_can_be_sent() -> None:
    assert json.dumps(masking.reply({"ids": {1}, 2: (b"x", None, 1.5, object)}))
