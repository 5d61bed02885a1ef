"""The actions of SQS's JSON protocol on queues in memory."""

import hashlib
from collections.abc import Callable
from typing import Any

from testkit.sqs_server.queues import Fault, Message, Queue, Queues

ACCOUNT = "000000000000"
MAX_BATCH_ENTRIES = 10
MAX_BATCH_BYTES = 1024 * 1024
Parameters = dict[str, Any]
LONG_POLL = "ReceiveMessage"


def _number(parameters: Parameters, name: str) -> float | None:
    return None if parameters.get(name) is None else float(parameters[name])


def _md5(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def _sent(queue: Queue, parameters: Parameters) -> dict[str, Any]:
    message = queue.send(parameters["MessageBody"], _number(parameters, "DelaySeconds"))
    return {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}


def _deleted(queue: Queue, parameters: Parameters) -> dict[str, Any]:
    queue.delete(parameters["ReceiptHandle"])
    return {}


def _hidden(queue: Queue, parameters: Parameters) -> dict[str, Any]:
    queue.hide(parameters["ReceiptHandle"], float(parameters["VisibilityTimeout"]))
    return {}


ON_ONE: dict[str, Callable[[Queue, Parameters], dict[str, Any]]] = {
    "SendMessage": _sent,
    "DeleteMessage": _deleted,
    "ChangeMessageVisibility": _hidden,
}


def attributes_of(queue: Queue) -> dict[str, str]:
    """All attributes, with the counts."""
    counts = queue.counts()
    return {
        **queue.attributes,
        "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.name}",
        "ApproximateNumberOfMessages": str(counts["waiting"]),
        "ApproximateNumberOfMessagesNotVisible": str(counts["in_flight"]),
        "ApproximateNumberOfMessagesDelayed": str(counts["delayed"]),
    }


def batch(queue: Queue, action: str, parameters: Parameters) -> dict[str, Any]:
    """Each entry has its own result."""
    entries = parameters.get("Entries") or []
    if not entries:
        raise Fault("EmptyBatchRequest")
    if len(entries) > MAX_BATCH_ENTRIES:
        raise Fault("TooManyEntriesInBatchRequest")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise Fault("BatchEntryIdsNotDistinct")
    if sum(len(entry.get("MessageBody", "").encode()) for entry in entries) > MAX_BATCH_BYTES:
        raise Fault("BatchRequestTooLong")
    answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
    for entry in entries:
        try:
            answer["Successful"].append({"Id": entry["Id"], **ON_ONE[action](queue, entry)})
        except Fault as fault:
            answer["Failed"].append({"Id": entry["Id"], "Code": fault.code, "SenderFault": True})
    return answer


def received(message: Message, wanted: list[str]) -> dict[str, Any]:
    """A message as ReceiveMessage shows it."""
    attributes = {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": str(int(message.sent_at * 1000))}
    shown = {name: value for name, value in attributes.items() if name in wanted or "All" in wanted}
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
        **({"Attributes": shown} if shown else {}),
    }


async def perform(queues: Queues, url: str, action: str, parameters: Parameters) -> dict[str, Any]:
    """Do one action. Raises Fault."""
    if action == "CreateQueue":
        name = parameters["QueueName"]
        queues.create(name, parameters.get("Attributes") or {})
        return {"QueueUrl": f"{url}/{ACCOUNT}/{name}"}
    if action == "GetQueueUrl":
        return {"QueueUrl": f"{url}/{ACCOUNT}/{queues.named(parameters['QueueName']).name}"}
    if action == "ListQueues":
        prefix = parameters.get("QueueNamePrefix") or ""
        return {"QueueUrls": [f"{url}/{ACCOUNT}/{name}" for name in queues.by_name if name.startswith(prefix)]}
    queue = queues.named(parameters["QueueUrl"].rpartition("/")[2])
    if action == LONG_POLL:
        return await _receive(queue, parameters)
    if action in ON_ONE:
        return ON_ONE[action](queue, parameters)
    if action.removesuffix("Batch") in ON_ONE:
        return batch(queue, action.removesuffix("Batch"), parameters)
    return _administer(queue, action, parameters)


async def _receive(queue: Queue, parameters: Parameters) -> dict[str, Any]:
    wanted = parameters.get("MessageSystemAttributeNames") or parameters.get("AttributeNames") or []
    messages = await queue.receive(
        int(parameters.get("MaxNumberOfMessages") or 1),
        float(parameters.get("WaitTimeSeconds") or 0),
        _number(parameters, "VisibilityTimeout"),
    )
    return {"Messages": [received(message, wanted) for message in messages]} if messages else {}


def _administer(queue: Queue, action: str, parameters: Parameters) -> dict[str, Any]:
    if action == "GetQueueAttributes":
        wanted = parameters.get("AttributeNames") or []
        attributes = attributes_of(queue)
        return {"Attributes": {name: value for name, value in attributes.items() if name in wanted or "All" in wanted}}
    if action == "SetQueueAttributes":
        queue.attributes.update(parameters["Attributes"])
        return {}
    if action == "PurgeQueue":
        queue.purge()
        return {}
    raise Fault("UnsupportedOperation")
