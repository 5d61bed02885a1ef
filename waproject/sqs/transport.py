"""kombu's SQS transport, and what one needs of it when no message may be lost and no worker may die of one.

Against kombu 5.7.0, whose internals it overrides; the requirements pin that version.
"""

import logging
import random
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.transport import SQS
from kombu.transport.SQS.exceptions import AccessDeniedQueueException

from waproject.sqs import envelope

logger = logging.getLogger(__name__)

SQS_ERRORS = (ClientError, BotoCoreError, OSError)

FIRST_BACK_OFF_S = 0.5
LONGEST_BACK_OFF_S = 20.0


class ReceiveConnection(AsyncSQSConnection):  # type: ignore[misc]
    """Receives without raising: any answer but 200 is None, and the channel backs off.

    Stock kombu turns a 5xx or a timeout into an empty list, which ends the worker one call later, and raises on a
    4xx, which ends it at once (celery/kombu#2031).
    """

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> Any:
        if response.status == self.STATUS_CODE_OK:
            return super()._on_list_ready(parent, markers, operation, response)
        logger.warning("sqs %s failed with HTTP %s", operation, response.status)
        return None


class QoS(SQS.QoS):  # type: ignore[misc]
    """Stock kombu lets a back-off that SQS refuses end the worker."""

    def apply_backoff_policy(self, *args: Any, **kwargs: Any) -> None:
        """Hide a failed message for its back-off; where that fails it comes back after the visibility timeout."""
        try:
            super().apply_backoff_policy(*args, **kwargs)
        except SQS_ERRORS as error:
            logger.warning("sqs did not hide a failed message for its back-off: %s", type(error).__name__)


class Channel(SQS.Channel):  # type: ignore[misc]
    """One worker's conversation with its queue."""

    # Celery's JSON travels as it is: base64 would add a third to every body.
    body_encoding = None
    QoS = QoS
    _failed_receives = 0

    def asynsqs(self, queue: str | None = None) -> Any:
        """The receiving connection of a queue; made once for each."""
        clients = self._predefined_queue_async_clients
        if queue is None or queue not in self.predefined_queues:
            return super().asynsqs(queue)
        if queue not in clients:
            clients[queue] = ReceiveConnection(sqs_connection=self.sqs(queue=queue), region=self.region)
        return clients[queue]

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> int:
        if messages is None:
            self._failed_receives += 1
            return 0
        self._failed_receives = 0
        received = messages.get("Messages") or []
        take = self.connection._callbacks.get(qname)
        if not received or take is None:  # kombu releases what came too late for a consumer that is gone
            return int(super()._on_messages_ready(queue, qname, messages))
        payloads = [payload for message in received if (payload := self._task_in(message, qname, queue))]
        for payload in payloads:
            take(payload)
        return len(payloads)

    def _task_in(self, message: dict[str, Any], qname: str, url: str) -> Any:
        """The payload for Celery. What Celery cannot take is None: left to the redrive policy, logged without it."""
        try:
            payload = self._message_to_python(message, qname, url)
            envelope.check(payload, self.predefined_queues[qname].get("tasks") or ())
        except Exception as error:  # the worker must outlive whatever somebody put on its queue
            fault = error if isinstance(error, envelope.MalformedMessage) else type(error).__name__
            logger.error(
                "left on queue %s for its redrive policy: sqs message %s: %s", qname, message.get("MessageId"), fault
            )
            return None
        return payload

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Delete a message. Where SQS refuses, it comes back after the visibility timeout: tasks are idempotent."""
        try:
            super().basic_ack(delivery_tag, multiple)
        except (*SQS_ERRORS, AccessDeniedQueueException) as error:
            logger.warning("sqs did not delete a message that is done: %s", type(error).__name__)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Leave a failed message to the redrive policy."""
        try:
            super().basic_reject(delivery_tag, requeue)
        except SQS_ERRORS as error:
            logger.warning("sqs did not take the back-off of a failed message: %s", type(error).__name__)

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        if self._failed_receives:
            ceiling = min(LONGEST_BACK_OFF_S, FIRST_BACK_OFF_S * 2 ** min(self._failed_receives - 1, 10))
            self.hub.call_later(ceiling * random.uniform(0.5, 1.0), self._schedule_queue, queue)  # noqa: S311
            return
        super()._loop1(queue, messages_fetched)


class Transport(SQS.Transport):  # type: ignore[misc]
    """`sqs://` with the channel above."""

    Channel = Channel
    # Seconds between a poll that brought nothing and the next, and between looks at a full prefetch: with kombu's
    # own 1 s a worker that is always busy handles 8 messages a second.
    polling_interval = 0.05
