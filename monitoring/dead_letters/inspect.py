"""Inspection of a dead-letter queue: messages decoded and explained, redacted unless the viewer may read them.

Bodies are JSON or text; nothing is ever unpickled.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from messaging import monitoring_queries as queries
from messaging.whatsapp.storable import storable_text
from monitoring.dead_letters.redaction import redacted, redacted_text
from monitoring.dead_letters.task_failures import failures_of
from monitoring.models import TaskFailure
from monitoring.queue_depth import sqs_errors
from waproject.logs.masking import mask
from waproject.queues import Lane
from waproject.sqs import control, envelope, sampling
from waproject.sqs.json_limits import QUEUED, excess, loads
from waproject.sqs.sampling import SampledMessage as ReceivedMessage

REVIVE, SEND = "messaging.revive", "messaging.send"
# The most characters of a body or of arguments that are shown.
SHOWN_LENGTH = 20_000
TIMEOUT_S = 4.0
_MIME = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}")
_TASK = re.compile(r"[A-Za-z_][\w.]{0,99}")


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """The current state of the outbound message that a dead letter of the outgoing lane would send again."""

    id: UUID
    status: str
    error_code: int | None
    error_title: str
    # False if it was sent again since: a redrive would have no effect.
    revivable: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `fault`: why its lane cannot run it as a task; empty if it can."""

    message_id: str
    sent_at: datetime
    first_received_at: datetime
    receive_count: int
    size: int
    task: str
    task_id: str
    fault: str
    arguments: str
    body: str
    failure: TaskFailure | None = None
    outbound: OutboundMessage | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """The messages on a lane's dead-letter queue; `total` is approximate, as SQS counts them."""

    lane: str
    total: int
    messages: list[DeadLetter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded body. `arguments`: its args and kwargs, or the whole JSON if it is not a task."""

    task: str
    task_id: str
    fault: str
    args: list[Any]
    arguments: Any = None


def inspect_queue(lane: Lane, in_full: bool = False) -> Inspection:
    """Receive up to 200 dead letters, the oldest first. Raises SqsUnavailable and django.db errors."""
    sqs = control.client(settings.AWS_REGION, TIMEOUT_S)
    with sqs_errors():
        sample = sampling.sample(sqs, lane.dlq_url)
    decoded = [decode(received.body, lane) for received in sample.messages]
    failures = failures_of({one.task_id for one in decoded if not one.fault})
    outbound = _outbound_messages(decoded)
    dead_letters = [
        DeadLetter(
            message_id=received.message_id,
            sent_at=received.sent_at,
            first_received_at=received.first_received_at,
            receive_count=received.receive_count,
            size=len(received.body.encode()),
            task=one.task,
            task_id=one.task_id,
            fault=one.fault,
            arguments=_shown(one.arguments, in_full),
            body=_body(received, one, in_full),
            failure=None if one.fault else failures.get(one.task_id),
            outbound=next((outbound[pk] for pk in message_ids(one) if pk in outbound), None),
        )
        for received, one in zip(sample.messages, decoded, strict=True)
    ]
    return Inspection(lane.name, max(sample.depth.total, len(dead_letters)), dead_letters)


def decode(body: str, lane: Lane) -> Decoded:
    """Decode a body as the lane's worker does, with the reason why the worker would not run it."""
    try:
        payload = envelope.payload_in(body)
    except envelope.MalformedMessage as fault:
        return _not_a_task(body, str(fault))
    headers = payload.get("headers")
    fields = headers if isinstance(headers, dict) else {}
    task = str(fields.get("task", ""))
    task = task if _TASK.fullmatch(task) else ""
    task_id = storable_text(fields["id"]) if isinstance(fields.get("id"), str) else ""
    try:
        args, kwargs, _ = envelope.check(payload, lane.tasks)
    except envelope.MalformedMessage as fault:
        return Decoded(task, task_id, _explain(str(fault), payload), [], payload)
    return Decoded(task, task_id, "", args, {"args": args, **({"kwargs": kwargs} if kwargs else {})})


def message_ids(decoded: Decoded) -> Iterator[UUID]:
    """The ids of the outbound messages that a dead letter of the outgoing lane names."""
    if decoded.fault:
        return
    candidates: Iterable[object] = ()
    if decoded.task == REVIVE:
        candidates = decoded.args[:1]
    elif decoded.task == SEND:
        candidates = [
            row
            for release in decoded.args
            if isinstance(release, list) and len(release) > 1 and isinstance(release[1], list)
            for row in release[1]
        ]
    for text in candidates:
        try:
            yield UUID(str(text))
        except ValueError:
            continue


def audit_details(received: ReceivedMessage, lane: Lane) -> dict[str, Any]:
    """The ids of a dead letter, without its content, for the audit log."""
    decoded = decode(received.body, lane)
    details = {
        "sqs": received.message_id,
        "task": decoded.task,
        "task_id": mask(decoded.task_id)[:100],
        "messages": [str(pk) for pk in message_ids(decoded)][:10],
    }
    return {name: value for name, value in details.items() if value}


def _outbound_messages(decoded: Sequence[Decoded]) -> dict[UUID, OutboundMessage]:
    generations = {next(message_ids(one), None): _generation(one) for one in decoded if one.task == REVIVE}
    ids = {pk for one in decoded for pk in message_ids(one)}
    return {
        state.id: OutboundMessage(
            state.id,
            state.status,
            state.error_code,
            state.error_title,
            state.status == "failed" and generations.get(state.id, state.generation) == state.generation,
        )
        for state in queries.outbound_states(ids)
    }


def _generation(decoded: Decoded) -> object:
    return decoded.args[1] if len(decoded.args) > 1 else None


def _not_a_task(body: str, fault: str) -> Decoded:
    encoded = body.encode("utf-8", "surrogatepass")
    if excess(encoded, QUEUED):  # its objects are never built: 1 MiB of `[[],[],…]` takes 30 MB
        return Decoded("", "", f"Not a task: {fault}. It is never decoded.", [])
    try:
        data = loads(encoded)
    except ValueError:
        return Decoded("", "", "Not a task: the body is not JSON. Another program writes to this queue.", [])
    return Decoded("", "", "Not a task: the body is JSON, but not a Celery envelope.", [], data)


def _explain(fault: str, payload: dict[Any, Any]) -> str:
    kind = payload.get("content-type")
    if fault == "no Celery envelope":
        return "Not a task: the body is JSON, but not a Celery envelope. Another program writes to this queue."
    if fault == "not JSON" and isinstance(kind, str) and _MIME.fullmatch(kind):
        return f"The arguments are {kind}, not JSON, and are never decoded."
    return f"The worker rejected it: {fault}."


def _shown(arguments: Any, in_full: bool) -> str:
    if arguments is None:
        return ""
    text = json.dumps(arguments if in_full else redacted(arguments), ensure_ascii=False, indent=1)
    text = storable_text(text)  # half of a surrogate pair has no UTF-8: no page or answer could hold it
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}\n…"


def _body(received: ReceivedMessage, decoded: Decoded, in_full: bool) -> str:
    """The raw body, if it has no decoded form."""
    if decoded.arguments is not None:
        return ""
    return received.body[:SHOWN_LENGTH] if in_full else redacted_text(received.body)
