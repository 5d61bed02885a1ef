"""The one table of queues."""

from typing import Any

import pytest
from celery.exceptions import QueueNotFound

from waproject.celery import app as celery_app
from waproject.queues import LANES
from waproject.sqs import control


def test_every_task_has_a_lane() -> None:
    from analytics import tasks as _analytics  # noqa: F401
    from messaging.incoming import tasks as _incoming  # noqa: F401
    from messaging.outgoing import tasks as _outgoing  # noqa: F401

    ours = [name for name in celery_app.tasks if not name.startswith("celery.")]
    assert {name: celery_app.conf.task_routes[name]["queue"] in LANES for name in ours} == dict.fromkeys(ours, True)


def test_a_task_without_a_lane_cannot_be_published(sqs: Any) -> None:
    with pytest.raises(QueueNotFound):
        celery_app.send_task("nobody.knows")


@pytest.mark.parametrize("lane", LANES.values(), ids=LANES.keys())
def test_a_task_ends_before_its_message_becomes_visible_again(lane: Any) -> None:
    assert lane.task_time_limit < lane.visibility_timeout


@pytest.mark.parametrize("lane", LANES.values(), ids=LANES.keys())
def test_an_outage_of_an_hour_moves_nothing_to_a_dlq(lane: Any) -> None:
    assert sum(lane.back_off[: lane.max_receives - 1]) >= 3600


def test_queues_are_made_with_their_redrive_policy(sqs: Any) -> None:
    lane = LANES["incoming"]
    policy = sqs.get_queue_attributes(QueueUrl=lane.url, AttributeNames=["RedrivePolicy"])["Attributes"][
        "RedrivePolicy"
    ]
    assert ("test-incoming-dlq" in policy, f'"{lane.max_receives}"' in policy or str(lane.max_receives) in policy) == (
        True,
        True,
    )


def test_a_dlq_keeps_longer_than_its_queue() -> None:
    assert control.DLQ_RETENTION_S > control.QUEUE_RETENTION_S
