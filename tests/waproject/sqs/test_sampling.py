"""Messages are looked at and returned: the requests, and what is read from the answers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waproject.sqs.doubles.recording import AT, QUEUE, REFUSED, Recording, all_done, counted, from_sqs, message
from waproject.sqs import sampling
from waproject.sqs.control import Depth
from waproject.sqs.sampling import SampledMessage

THREE = {"Attributes": {"ApproximateNumberOfMessages": "3"}}
NONE: dict[str, Any] = {"Attributes": {}}


def test_a_receive_asks_for_everything_and_hides_as_told() -> None:
    sqs = Recording({"Messages": [from_sqs("a")]})
    with counted() as counts:
        assert sampling.receive(sqs, QUEUE, hide_s=20, limit=4) == [message("a")]
    assert sqs.asked == [("receive_message", {
        "QueueUrl": QUEUE, "MaxNumberOfMessages": 4, "VisibilityTimeout": 20, "WaitTimeSeconds": 1,
        "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
    })]  # fmt: skip
    assert counts.requests == [("source", "ReceiveMessage", "asked")]


@pytest.mark.parametrize(("limit", "asked"), [(1, 1), (10, 10), (11, 10), (200, 10)])
def test_one_request_asks_for_ten_messages_at_most(limit: int, asked: int) -> None:
    sqs = Recording({})
    assert sampling.receive(sqs, QUEUE, hide_s=1, limit=limit) == []
    assert sqs.asked[0][1]["MaxNumberOfMessages"] == asked


def test_a_receive_without_a_limit_asks_for_ten() -> None:
    sqs = Recording()
    sampling.receive(sqs, QUEUE, hide_s=1)
    assert sqs.asked[0][1]["MaxNumberOfMessages"] == 10


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (
            {"MessageId": "a", "ReceiptHandle": "A"},
            SampledMessage("a", "A", "", datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), 0),
        ),
        (
            {
                "MessageId": 7, "ReceiptHandle": 8, "Body": "text",
                "Attributes": {
                    "SentTimestamp": "1790000000000", "ApproximateFirstReceiveTimestamp": "1790000060500",
                    "ApproximateReceiveCount": "12", "AWSTraceHeader": "Root=1",
                },
                "MessageAttributes": {
                    "who": {"DataType": "String", "StringValue": "me", "StringListValues": ["no"]},
                    "raw": {"DataType": "Binary", "BinaryValue": b"\1", "StringValue": ""},
                },
            },
            SampledMessage(
                "7", "8", "text", AT, datetime(2026, 9, 21, 14, 14, 20, 500_000, tzinfo=UTC), 12,
                {
                    "who": {"DataType": "String", "StringValue": "me"},
                    "raw": {"DataType": "Binary", "BinaryValue": b"\1"},
                },
                {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}},
            ),
        ),
    ],
    ids=["nothing beside", "everything"],
)  # fmt: skip
def test_a_message_is_read_whole(answer: dict[str, Any], seen: SampledMessage) -> None:
    assert sampling.receive(Recording({"Messages": [answer]}), QUEUE, hide_s=1) == [seen]


def test_a_sample_is_sorted_by_age_and_given_back() -> None:
    late, early, twin = from_sqs("late", 1_790_000_001_000), from_sqs("early"), from_sqs("a-twin")
    sqs = Recording(THREE, {"Messages": [late, early]}, {"Messages": [twin]})
    found = sampling.sample(sqs, QUEUE)
    assert ([one.message_id for one in found.messages], found.depth) == (["a-twin", "early", "late"], Depth(3, 0, 0))
    assert sqs.names == [
        "get_queue_attributes",
        "receive_message",
        "receive_message",
        "change_message_visibility_batch",
    ]
    assert [asked["VisibilityTimeout"] for name, asked in sqs.asked if name == "receive_message"] == [10, 10]
    assert sqs.asked[-1][1] == {"QueueUrl": QUEUE, "Entries": [
        {"Id": "0", "ReceiptHandle": "LATE", "VisibilityTimeout": 0},
        {"Id": "1", "ReceiptHandle": "EARLY", "VisibilityTimeout": 0},
        {"Id": "2", "ReceiptHandle": "A-TWIN", "VisibilityTimeout": 0},
    ]}  # fmt: skip


@pytest.mark.parametrize(
    ("depth", "answers", "limit", "asked"),
    [
        (NONE, [{}], 200, [10]),  # the depth is approximate
        (NONE, [{"Messages": [from_sqs("a")]}], 200, [10]),
        (THREE, [{"Messages": [from_sqs("a")]}, {}], 200, [10, 10]),
        (THREE, [{"Messages": [from_sqs("a")]}, {"Messages": [from_sqs("b")]}], 2, [2, 1]),
        (THREE, [{"Messages": [from_sqs("a")]}, {"Messages": [from_sqs("a")]}, {}], 200, [10, 10, 10]),
        (THREE, [{"Messages": [from_sqs("a", body="x" * 33_554_432)]}], 200, [10]),
    ],
    ids=["empty", "one not counted", "fewer than counted", "limit", "the same again", "32 MiB"],
)
def test_a_sample_ends_when_it_has_what_there_is(
    depth: dict[str, Any], answers: list[dict[str, Any]], limit: int, asked: list[int]
) -> None:
    sqs = Recording(depth, *answers)
    sampling.sample(sqs, QUEUE, limit)
    assert [one["MaxNumberOfMessages"] for name, one in sqs.asked if name == "receive_message"] == asked


def test_a_sample_that_takes_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SAMPLING_S", 0.0)
    sqs = Recording(THREE, {"Messages": [from_sqs("a")]}, {"Messages": [from_sqs("b")]})
    assert len(sampling.sample(sqs, QUEUE).messages) == 1


def test_messages_are_given_back_also_when_a_later_receive_fails() -> None:
    sqs = Recording(THREE, {"Messages": [from_sqs("a")]}, REFUSED)
    with pytest.raises(ClientError):
        sampling.sample(sqs, QUEUE)
    assert sqs.names[-1] == "change_message_visibility_batch"


def test_messages_are_given_back_ten_at_a_time_and_a_failure_stops_no_other() -> None:
    sqs = Recording(REFUSED)
    with counted() as counts:
        sampling.release(sqs, QUEUE, [str(n) for n in range(11)])
    assert [[entry["ReceiptHandle"] for entry in asked["Entries"]] for _, asked in sqs.asked] == [
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        ["10"],
    ]
    assert counts.requests == [("source", "ChangeMessageVisibilityBatch", "asked")] * 2


def test_only_what_sqs_deleted_is_reported_deleted() -> None:
    sqs = Recording(all_done(0, 2))
    with counted() as counts:
        deleted = sampling.delete(sqs, QUEUE, [message("a"), message("b"), message("c")])
    assert [one.message_id for one in deleted] == ["a", "c"]
    entries = [{"Id": "0", "ReceiptHandle": "A"}, {"Id": "1", "ReceiptHandle": "B"}, {"Id": "2", "ReceiptHandle": "C"}]
    assert sqs.asked == [("delete_message_batch", {"QueueUrl": QUEUE, "Entries": entries})]
    assert counts.requests == [("source", "DeleteMessageBatch", "asked")]


def test_without_messages_nothing_is_deleted_and_nothing_asked() -> None:
    sqs = Recording()
    assert (sampling.delete(sqs, QUEUE, []), sqs.asked) == ([], [])


def test_an_answer_without_deleted_messages_means_none() -> None:
    assert sampling.delete(Recording({}), QUEUE, [message("a")]) == []
