"""What the transport is told of each lane."""

from typing import Any

import pytest

from waproject.queues import LANES, Lane
from waproject.sqs.consumer import QueueOptions
from waproject.worker.celery_config import broker_transport_options

QUEUES: Any = broker_transport_options["predefined_queues"]


@pytest.mark.parametrize("lane", LANES.values(), ids=LANES)
def test_a_queue_is_consumed_as_its_lane_says(lane: Lane) -> None:
    assert QueueOptions.from_entry(QUEUES[lane.name]) == QueueOptions(
        url=lane.url,
        tasks=lane.tasks,
        joined_tasks=lane.joined_tasks,
        backoff_policy=dict(enumerate(lane.back_off, start=1)),
        linger=lane.linger,
        visibility_timeout=lane.visibility_timeout,
        capacity=lane.capacity,
    )


@pytest.mark.parametrize("lane", LANES.values(), ids=LANES)
def test_an_entry_has_no_key_that_the_transport_does_not_read(lane: Lane) -> None:
    assert QUEUES[lane.name].keys() <= set(QueueOptions.__slots__)
