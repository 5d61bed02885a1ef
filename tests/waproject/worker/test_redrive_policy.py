"""Wrong redrive policies are reported at start-up, and an unavailable SQS does not delay it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from waproject.queues import LANES
from waproject.sqs import control
from waproject.sqs.control import RedrivePolicy
from waproject.worker import redrive_policy

LANE = LANES["incoming"]
DLQ = "test-incoming-dlq"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (None, "has no RedrivePolicy"),
        (RedrivePolicy("elsewhere", LANE.max_receives), "moves messages to elsewhere"),
        (RedrivePolicy(DLQ, 3), "has maxReceiveCount 3"),
    ],
)
def test_a_wrong_redrive_policy_is_described(policy: RedrivePolicy | None, words: str) -> None:
    assert words in redrive_policy.fault(LANE, policy)


def test_created_queues_have_the_right_redrive_policy(sqs: Any) -> None:
    assert redrive_policy.faults(LANES.values()) == []


@pytest.fixture
def without_policy(sqs: Any) -> Iterator[None]:
    """The incoming queue loses its policy for a test."""
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes={"RedrivePolicy": ""})
    yield
    call_command("create_queues")


def test_a_queue_without_a_redrive_policy_is_reported(without_policy: None) -> None:
    (words,) = redrive_policy.faults(LANES.values())
    assert words.startswith("The queue 'incoming' has no RedrivePolicy")


def test_the_deployment_check_warns(without_policy: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check", deploy=True)
    assert "waproject.W001" in capsys.readouterr().err


def test_queues_are_not_judged_while_sqs_is_unavailable(sqs_away: None) -> None:
    control.client.cache_clear()
    assert redrive_policy.faults(LANES.values()) == []
    control.client.cache_clear()
