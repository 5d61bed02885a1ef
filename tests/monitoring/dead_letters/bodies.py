"""Bodies of every kind for dead-letter queues, and helpers of their tests."""

import base64
import json
import pickle
from typing import Any

from celery import Task

from messaging.incoming.tasks import receive
from messaging.task_publisher import message
from monitoring.dead_letters.redrive_jobs import run_step
from monitoring.models import RedriveJob
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
    """The SQS body of a task; `headers` replace its own."""
    payload = json.loads(message(of, args or (WEBHOOK,)).body)
    payload["headers"].update(headers)
    return json.dumps(payload)


def put(sqs: Any, *bodies: str, lane: str = "incoming", **fields: Any) -> list[str]:
    """Send bodies to a lane's dead-letter queue; returns their message ids."""
    url = LANES[lane].dlq_url
    return [sqs.send_message(QueueUrl=url, MessageBody=body, **fields)["MessageId"] for body in bodies]


def on(sqs: Any, url: str) -> list[Any]:
    """Receive all messages of a queue; they stay hidden afterwards."""
    found: list[Any] = []
    while batch := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages"):
        found += batch
    return found


def finished(job: RedriveJob) -> RedriveJob:
    """Run all steps of a job; returns it."""
    for _ in range(100):
        if job.finished_at:
            break
        RedriveJob.objects.filter(pk=job.pk).update(due_at=job.requested_at)
        run_step()
        job.refresh_from_db()
    return job
