"""Bad messages of every kind, on a dead-letter queue."""

import base64
import json
import pickle
from typing import Any

from celery import Task

from messaging.incoming.tasks import receive
from messaging.task_publisher import message
from monitoring.dead_letters.redrive_jobs import work
from monitoring.models import Move
from waproject.queues import LANES

SECRET = "Meet me at nine"
PHONE = "+4915123456789"
WEBHOOK = {
    "object": "whatsapp_business_account",
    "entry": [{"changes": [{"field": "messages", "value": {"messages": [
        {"from": PHONE[1:], "type": "text", "timestamp": "1790000000", "text": {"body": SECRET}}]}}]}],
}  # fmt: skip
RAW = f"call {PHONE}: {SECRET}"
FOREIGN = json.dumps({"Type": "Notification", "Message": SECRET, "to": PHONE})
PICKLE = base64.b64encode(pickle.dumps({"text": SECRET})).decode()
PICKLED_TASK = json.dumps(
    {"body": PICKLE, "content-type": "application/x-python-serialize", "content-encoding": "binary",
     "headers": {"task": "messaging.receive", "id": "t-1"}, "properties": {"body_encoding": "base64"}}
)  # fmt: skip


def task_body(of: "Task[Any, Any]" = receive, *args: Any, **headers: Any) -> str:
    """The SQS body of a task; `headers` replace those of its own."""
    payload = json.loads(message(of, args or (WEBHOOK,)).body)
    payload["headers"].update(headers)
    return json.dumps(payload)


def put(sqs: Any, *bodies: str, lane: str = "incoming", **fields: Any) -> list[str]:
    """Put bodies on a lane's dead-letter queue; their ids."""
    url = LANES[lane].dlq_url
    return [sqs.send_message(QueueUrl=url, MessageBody=body, **fields)["MessageId"] for body in bodies]


def on(sqs: Any, url: str) -> list[Any]:
    """All messages that a queue shows now; they stay hidden afterwards."""
    found: list[Any] = []
    while batch := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages"):
        found += batch
    return found


def finished(move: Move) -> Move:
    """The move after all its steps, made here."""
    for _ in range(100):
        if move.finished_at:
            break
        Move.objects.filter(pk=move.pk).update(due_at=move.asked_at)
        work()
        move.refresh_from_db()
    return move
