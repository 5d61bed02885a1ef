"""Queue depth of each lane, with its dead-letter queue."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from waproject.queues import LANES
from waproject.sqs import control
from waproject.sqs.control import Depth


class SqsUnavailable(Exception):
    """SQS did not answer; `reason` is its error code, such as AccessDenied, or the class of botocore's error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def sqs_errors() -> Iterator[None]:
    """Turns botocore's errors into SqsUnavailable."""
    try:
        yield
    except ClientError as error:
        raise SqsUnavailable(str(error.response.get("Error", {}).get("Code", "ClientError"))) from error
    except BotoCoreError as error:
        raise SqsUnavailable(type(error).__name__) from error


def lane_depths(timeout: float) -> dict[str, tuple[Depth, Depth]]:
    """By lane: the depth of its queue and of its DLQ. Raises SqsUnavailable if one request fails."""
    sqs = control.client(settings.AWS_REGION, timeout)
    urls = [url for lane in LANES.values() for url in (lane.url, lane.dlq_url)]
    with ThreadPoolExecutor(len(urls)) as pool, sqs_errors():
        depths = list(pool.map(lambda url: control.depth(sqs, url), urls))
    return dict(zip(LANES, zip(depths[::2], depths[1::2], strict=True), strict=True))


def counts(queue: Depth, dlq: Depth) -> dict[str, int]:
    """One lane's counts, as the API shows them."""
    return {"waiting": queue.waiting, "in_flight": queue.in_flight, "delayed": queue.delayed, "dlq": dlq.total}
