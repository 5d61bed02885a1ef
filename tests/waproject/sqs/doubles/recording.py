"""A boto3 client that records requests and answers from a list, and an observer that records what was counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from waproject.sqs import request_observer
from waproject.sqs.sampling import SampledMessage

QUEUE, TARGET = "https://sqs.test/1/source", "https://sqs.test/1/target"
AT = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
REFUSED = ClientError({"Error": {"Code": "AccessDenied"}}, "Any")


class Recording:
    """Answers each request with the next answer, raising those that are exceptions; `{}` once there are none."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._answers = list(answers)

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        def answer(**parameters: Any) -> dict[str, Any]:
            self.asked.append((name, parameters))
            found = self._answers.pop(0) if self._answers else {}
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    @property
    def names(self) -> list[str]:
        """The requests without their parameters."""
        return [name for name, _ in self.asked]


class Counted:
    """Records what an observer is given."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str]] = []
        self.messages: list[tuple[str, str, int]] = []

    def requested(self, queue: str, action: str, outcome: str) -> None:
        self.requests.append((queue, action, outcome))

    def handled(self, queue: str, action: str, messages: int) -> None:
        self.messages.append((queue, action, messages))


@contextmanager
def counted() -> Iterator[Counted]:
    """The counts of what runs inside."""
    before, counts = request_observer._observer, Counted()
    request_observer.observe(counts)
    try:
        yield counts
    finally:
        request_observer.observe(before)


def message(name: str, body: str = "{}", **fields: Any) -> SampledMessage:
    """A message with this id; its handle is the id in capitals."""
    return SampledMessage(name, name.upper(), body, AT, AT, 1, **fields)


def from_sqs(name: str, sent_ms: int = 1_790_000_000_000, body: str = "{}") -> dict[str, Any]:
    """The same in an answer of SQS."""
    attributes = {
        "SentTimestamp": str(sent_ms),
        "ApproximateFirstReceiveTimestamp": str(sent_ms),
        "ApproximateReceiveCount": "1",
    }
    return {"MessageId": name, "ReceiptHandle": name.upper(), "Body": body, "Attributes": attributes}


def all_done(*names: int) -> dict[str, Any]:
    """SQS's answer for these entries of a batch."""
    return {"Successful": [{"Id": str(n)} for n in names]}
