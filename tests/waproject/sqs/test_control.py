"""The requests about queues, and what their answers say."""

import json

import pytest

from tests.waproject.sqs.doubles.recording import QUEUE, Recording, counted
from waproject.sqs import control
from waproject.sqs.control import Depth, RedrivePolicy

ATTRIBUTES = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]
DLQ_ARN = "arn:aws:sqs:eu-central-1:1:dlq"


@pytest.mark.parametrize(
    ("values", "depth", "total"),
    [
        (["3", "20", "100"], Depth(waiting=3, in_flight=20, delayed=100), 123),
        ([], Depth(0, 0, 0), 0),
        (["7"], Depth(7, 0, 0), 7),
    ],
)
def test_the_depth_has_waiting_hidden_and_delayed_messages(values: list[str], depth: Depth, total: int) -> None:
    sqs = Recording({"Attributes": dict(zip(ATTRIBUTES, values, strict=False))})
    with counted() as counts:
        found = control.depth(sqs, QUEUE)
    assert (found, found.total) == (depth, total)
    assert sqs.asked == [("get_queue_attributes", {"QueueUrl": QUEUE, "AttributeNames": ATTRIBUTES})]
    assert counts.requests == [("source", "GetQueueAttributes", "asked")]


@pytest.mark.parametrize(
    ("answer", "policy"),
    [
        ({"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DLQ_ARN, "maxReceiveCount": 10})}},
         RedrivePolicy(dead_letter_queue="dlq", max_receives=10)),
        ({"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DLQ_ARN, "maxReceiveCount": "3"})}},
         RedrivePolicy("dlq", 3)),
        ({"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DLQ_ARN})}}, RedrivePolicy("dlq", 0)),
        ({"Attributes": {"RedrivePolicy": json.dumps({"maxReceiveCount": 10})}}, None),
        ({"Attributes": {"RedrivePolicy": ""}}, None),
        ({"Attributes": {}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_redrive_policy_names_its_queue_and_receives(answer: dict[str, object], policy: RedrivePolicy | None) -> None:
    sqs = Recording(answer)
    with counted() as counts:
        assert control.redrive_policy(sqs, QUEUE) == policy
    assert sqs.asked == [("get_queue_attributes", {"QueueUrl": QUEUE, "AttributeNames": ["RedrivePolicy"]})]
    assert counts.requests == [("source", "GetQueueAttributes", "asked")]


def test_a_queue_is_created_behind_its_dead_letter_queue_which_keeps_messages_longer() -> None:
    sqs = Recording(
        {"QueueUrl": "made-dlq"}, {}, {"Attributes": {"QueueArn": DLQ_ARN}},
        {"QueueUrl": "made"}, {}, {"Attributes": {"QueueArn": "arn:of:queue"}},
    )  # fmt: skip
    control.create_with_dlq(sqs, "https://sqs/1/q", "https://sqs/1/q-dlq", visibility_timeout=60, max_receives=10)
    dlq = {"MessageRetentionPeriod": "1209600", "MaximumMessageSize": "1048576"}
    queue = {
        "VisibilityTimeout": "60",
        "MessageRetentionPeriod": "345600",
        "RedrivePolicy": '{"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:1:dlq", "maxReceiveCount": "10"}',
        "MaximumMessageSize": "1048576",
    }
    assert sqs.asked == [
        ("create_queue", {"QueueName": "q-dlq"}),
        ("set_queue_attributes", {"QueueUrl": "made-dlq", "Attributes": dlq}),
        ("get_queue_attributes", {"QueueUrl": "made-dlq", "AttributeNames": ["QueueArn"]}),
        ("create_queue", {"QueueName": "q"}),
        ("set_queue_attributes", {"QueueUrl": "made", "Attributes": queue}),
        ("get_queue_attributes", {"QueueUrl": "made", "AttributeNames": ["QueueArn"]}),
    ]


def test_an_arn_is_the_queues_own() -> None:
    with counted() as counts:
        assert control.arn(Recording({"Attributes": {"QueueArn": DLQ_ARN}}), QUEUE) == DLQ_ARN
    assert counts.requests == [("source", "GetQueueAttributes", "asked")]


def test_a_client_for_administration_asks_once_and_within_its_timeout() -> None:
    made = control.client("eu-west-1", 1.5)
    assert (made.meta.region_name, made.meta.service_model.service_name) == ("eu-west-1", "sqs")
    config = made.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (1.5, 1.5, 1)
    assert control.client("eu-west-1").meta.config.read_timeout == 2.0
