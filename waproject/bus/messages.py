"""JSON over SQS for the bus: sent once, received at most once."""

import json
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
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client, SqsError

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 5.0
# How much later than its long poll an answer may come.
ANSWER_S = 10.0


@cache
def _client() -> Client:
    """The process's client; its requests are counted under the one name, since nodes come and go."""
    client = Client.configured(settings.AWS_REGION)
    client.counted_as = queue_name(settings.SQS_MONITOR_QUEUE_URL)
    return client


def send(url: str, text: str) -> None:
    """Send JSON, as text. Raises wire.SqsError within `SEND_TIMEOUT_S`."""
    _client().call("SendMessage", {"QueueUrl": url, "MessageBody": text}, SEND_TIMEOUT_S)


def receive(url: str, wait_time: int) -> list[Any]:
    """Up to ten messages, deleted before anybody acts on them: none is obeyed twice. Raises wire.SqsError."""
    parameters = {"QueueUrl": url, "MaxNumberOfMessages": MAX_BATCH_ENTRIES, "WaitTimeSeconds": wait_time}
    messages = _client().call("ReceiveMessage", parameters, wait_time + ANSWER_S).get("Messages") or ()
    if messages:
        entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
        _client().call("DeleteMessageBatch", {"QueueUrl": url, "Entries": entries}, SEND_TIMEOUT_S)
    return [body for each in messages if (body := _decoded(each.get("Body", ""))) is not None]


def listen(url: str, kept: int, stopping: threading.Event) -> Iterator[list[Any]]:
    """Receive until told to stop; the queue is made, and made again when it vanished.

    Yields after each request, also an empty list, so that the caller's own business comes round. Whatever fails is
    tried again, later and later. kept: seconds that a queue made here keeps its messages.
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
                logger.warning("bus: %s is not received from: %s", queue_name(url), code)
            stopping.wait(back_off(failures))
            received = []
        yield received


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        logger.warning("bus: a message that is no JSON was dropped")
        return None
