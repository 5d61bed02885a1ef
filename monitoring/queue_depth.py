"""Queue depth of each lane's queue and dead-letter queue."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from waproject.queues import LANES
from waproject.sqs import control
from waproject.sqs.control import Depth


class QueuesAway(Exception):
    """SQS did not say how full the queues are; `why` is its own word, such as AccessDenied, or the error's name."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@contextmanager
def sqs_or_away() -> Iterator[None]:
    """Raises QueuesAway where botocore raises."""
    try:
        yield
    except ClientError as error:
        raise QueuesAway(str(error.response.get("Error", {}).get("Code", "ClientError"))) from error
    except BotoCoreError as error:
        raise QueuesAway(type(error).__name__) from error


def lane_depths(timeout: float) -> dict[str, tuple[Depth, Depth]]:
    """By lane: its queue's and its DLQ's. Raises QueuesAway when one is not answered."""
    sqs = control.client(settings.AWS_REGION, timeout)
    urls = [url for lane in LANES.values() for url in (lane.url, lane.dlq_url)]
    with ThreadPoolExecutor(len(urls)) as pool, sqs_or_away():
        depths = list(pool.map(lambda url: control.depth(sqs, url), urls))
    return dict(zip(LANES, zip(depths[::2], depths[1::2], strict=True), strict=True))


def counts(queue: Depth, dlq: Depth) -> dict[str, int]:
    """One lane's, as the API shows them."""
    return {"waiting": queue.waiting, "in_flight": queue.in_flight, "delayed": queue.delayed, "dlq": dlq.total}
