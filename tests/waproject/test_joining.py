"""Which messages may run as one task, and what that task is."""

import json
from typing import Any

import pytest

from waproject.sqs.joining import join, may_join

EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def payload(**headers: Any) -> dict[str, Any]:
    return {"headers": {"task": "t", "id": "1", "timelimit": [None, None], **headers}, "properties": {}, "body": ""}


def test_positional_calls_of_a_joined_task_join() -> None:
    assert may_join(payload(), [["a"], {}, EMBED], {"t"})


@pytest.mark.parametrize(
    ("headers", "arguments"),
    [
        ({"task": "other"}, [["a"], {}, EMBED]),
        ({"eta": "2030-01-01T00:00:00"}, [["a"], {}, EMBED]),
        ({"timelimit": [5, None]}, [["a"], {}, EMBED]),
        ({}, [["a"], {"k": 1}, EMBED]),
        ({}, [["a"], {}, {**EMBED, "callbacks": [{"task": "after"}]}]),
    ],
)
def test_what_is_its_own_runs_alone(headers: dict[str, Any], arguments: list[Any]) -> None:
    assert not may_join(payload(**headers), arguments, {"t"})


def test_a_joined_task_has_the_arguments_of_all_in_order() -> None:
    joined = join([payload(), payload()], [[["a"], {}, EMBED], [["b", "c"], {}, EMBED]])
    assert json.loads(joined["body"])[0] == ["a", "b", "c"]
