"""How many messages lie on each lane's queue and dead-letter queue, asked for at once."""

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from waproject.queues import LANES
from waproject.sqs import control
from waproject.sqs.control import Depth


def lane_depths(timeout: float) -> dict[str, tuple[Depth, Depth]]:
    """By lane: its queue's and its DLQ's. Raises botocore's ClientError or BotoCoreError when one is not answered."""
    sqs = control.client(settings.AWS_REGION, timeout)
    urls = [url for lane in LANES.values() for url in (lane.url, lane.dlq_url)]
    with ThreadPoolExecutor(len(urls)) as pool:
        depths = list(pool.map(lambda url: control.depth(sqs, url), urls))
    return dict(zip(LANES, zip(depths[::2], depths[1::2], strict=True), strict=True))


def counts(queue: Depth, dlq: Depth) -> dict[str, int]:
    """One lane's, as the API shows them."""
    return {"waiting": queue.waiting, "in_flight": queue.in_flight, "delayed": queue.delayed, "dlq": dlq.total}
