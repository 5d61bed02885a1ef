"""Messages that run as one task, and that task's contents."""

from typing import Any

import pytest

from messaging.incoming import tasks
from messaging.task_publisher import REPRS
from waproject.queues import LANES
from waproject.sqs import envelope
from waproject.sqs.joining import join, join_key, may_join
from waproject.sqs.transport import collected

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
        ({"expires": "2030-01-01T00:00:00"}, [["a"], {}, EMBED]),
        ({"group": "g"}, [["a"], {}, EMBED]),
        ({}, [["a"], {"k": 1}, EMBED]),
        ({}, [["a"], {}, {**EMBED, "callbacks": [{"task": "after"}]}]),
    ],
)
def test_a_task_with_conditions_of_its_own_runs_alone(headers: dict[str, Any], arguments: list[Any]) -> None:
    assert not may_join(payload(**headers), arguments, {"t"})


def test_webhooks_as_they_are_published_join() -> None:
    """Celery sends the configured time limit with each message: that must not make each one special."""
    with collected() as messages:
        tasks.receive.apply_async(({"a": 1},), **REPRS)
    message = envelope.payload_in(messages[0].body)
    lane = LANES["incoming"]
    assert may_join(message, envelope.check(message, lane.tasks), lane.joined_tasks)


def test_messages_with_different_time_limits_do_not_join() -> None:
    assert join_key(payload(timelimit=[5, None])) != join_key(payload())


def test_a_joined_task_has_the_arguments_of_all_in_order() -> None:
    joined = join([payload(), payload()], [[["a"], {}, EMBED], [["b", "c"], {}, EMBED]])
    assert joined[envelope.DECODED][0] == ["a", "b", "c"]


def test_a_joined_task_knows_the_requests_of_all() -> None:
    joined = join(
        [payload(request_id="r-1"), payload(), payload(request_id="r-3")], [[[one], {}, EMBED] for one in "abc"]
    )
    assert (joined["headers"]["request_ids"], joined["headers"]["joined"]) == (["r-1", "r-3"], 3)


def test_a_part_that_is_retried_alone_has_its_own_request_id() -> None:
    first = payload(request_id="r-1")
    join([first, payload(request_id="r-2")], [[["a"], {}, EMBED], [["b"], {}, EMBED]])
    assert (first["headers"]["request_id"], "request_ids" in first["headers"]) == ("r-1", False)


@pytest.mark.parametrize(("size", "joins"), [(65_536, True), (65_537, False)])
def test_a_body_of_more_than_64_kib_runs_alone(size: int, joins: bool) -> None:
    assert may_join({**payload(), "body": "x" * size}, [["a"], {}, EMBED], {"t"}) is joins


def test_a_joined_task_has_the_trace_contexts_of_all_and_none_as_its_parent() -> None:
    parts = [payload(traceparent="00-a"), payload(), payload(traceparent="00-c")]
    headers = join(parts, [[[one], {}, EMBED] for one in "abc"])["headers"]
    assert (headers["traceparents"], "traceparent" in headers) == (["00-a", "00-c"], False)


def test_a_joined_task_has_128_trace_contexts_at_most() -> None:
    parts = [payload(traceparent=f"00-{n}") for n in range(130)]
    found = join(parts, [[[n], {}, EMBED] for n in range(130)])["headers"]["traceparents"]
    assert (len(found), found[-1]) == (128, "00-127")


def test_without_trace_contexts_a_joined_task_has_none() -> None:
    assert "traceparents" not in join([payload(), payload()], [[["a"], {}, EMBED], [["b"], {}, EMBED]])["headers"]


def test_a_joined_task_is_decoded_and_has_the_first_ones_envelope() -> None:
    first = {**payload(id="first"), "properties": {"delivery_tag": "1"}}
    joined = join([first, payload(id="second")], [[["a"], {}, EMBED], [["b"], {}, {}]])
    assert (joined["headers"]["id"], joined["properties"], joined["body"]) == ("first", {"delivery_tag": "1"}, None)
    assert joined[envelope.DECODED] == [["a", "b"], {}, EMBED]
