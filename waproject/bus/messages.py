"""JSON messages of the bus over SQS, received at most once."""

import logging
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from waproject.bus import queues
from waproject.bus.addresses import queue_name
from waproject.sqs.back_off import back_off
from waproject.sqs.json_limits import QUEUED, excess, loads
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client, SqsError

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 5.0
# How long an answer may take beyond its long poll.
ANSWER_MARGIN_S = 10.0


@cache
def _client() -> Client:
    """The process's client. Its requests are counted under the monitor queue's name, since node queues come and go."""
    client = Client.configured(settings.AWS_REGION)
    client.counted_as = queue_name(settings.SQS_MONITOR_QUEUE_URL)
    return client


def send(url: str, text: str) -> None:
    """Send a JSON text. Raises wire.SqsError within `SEND_TIMEOUT_S`."""
    _client().call("SendMessage", {"QueueUrl": url, "MessageBody": text}, SEND_TIMEOUT_S)


def receive(url: str, wait_time: int) -> list[Any]:
    """Up to ten messages, deleted before they are returned, so that no command runs twice. Raises wire.SqsError."""
    parameters = {"QueueUrl": url, "MaxNumberOfMessages": MAX_BATCH_ENTRIES, "WaitTimeSeconds": wait_time}
    messages = _client().call("ReceiveMessage", parameters, wait_time + ANSWER_MARGIN_S).get("Messages") or ()
    if messages:
        entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
        _client().call("DeleteMessageBatch", {"QueueUrl": url, "Entries": entries}, SEND_TIMEOUT_S)
    return [body for each in messages if (body := _decoded(each.get("Body", ""))) is not None]


def listen(url: str, kept: int, stopping: threading.Event) -> Iterator[list[Any]]:
    """Receive until `stopping` is set; create the queue if it does not exist.

    Yields after each request, also an empty list, so that the caller regains control. Failed requests are retried with
    back-off. kept: the retention of a queue that is created, in seconds.
    """
    failures, there = 0, False
    while not stopping.is_set():
        try:
            if not there:
                queues.create(url, kept)
                there = True
            received = receive(url, settings.SQS_WAIT_TIME_S)
            failures = 0
        except (SqsError, ClientError, BotoCoreError) as error:
            code = error.code if isinstance(error, SqsError) else queues.code_of(error)
            there = there and not queues.is_missing(code)
            failures += 1
            if failures & (failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
                logger.warning("bus: receiving from %s failed: %s", queue_name(url), code)
            stopping.wait(back_off(failures))
            received = []
        yield received


def _decoded(text: str) -> Any:
    encoded = text.encode("utf-8", "surrogatepass")
    try:
        if not excess(encoded, QUEUED):
            return loads(encoded)
    except ValueError:
        pass
    logger.warning("bus: dropped a message with invalid JSON")
    return None
