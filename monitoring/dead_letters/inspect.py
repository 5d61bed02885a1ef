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

from messaging.models import Message
from monitoring.dead_letters.redaction import veiled, veiled_text
from monitoring.dead_letters.task_failures import failures_of
from monitoring.models import TaskFailure
from monitoring.queue_depth import sqs_or_away
from waproject.logs.masking import mask
from waproject.queues import Lane
from waproject.sqs import control, envelope, sampling
from waproject.sqs.sampling import SampledMessage

REVIVE, SEND = "messaging.revive", "messaging.send"
# Of a body or of arguments, at most so much is shown in full.
MOST_SHOWN = 20_000
TIMEOUT_S = 4.0
_MIME = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}")
_TASK = re.compile(r"[A-Za-z_][\w.]{0,99}")


@dataclass(frozen=True, slots=True)
class Outbound:
    """The message of ours that a letter of the outgoing lane is about, as it is now."""

    id: UUID
    status: str
    error_code: int | None
    error_title: str
    # False: it has moved on since, so that redriving this letter does nothing.
    revivable: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `fault`: why it is no task that its lane could run; empty where it is one."""

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
    outbound: Outbound | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a lane's dead-letter queue; `total` is approximate, as SQS counts."""

    lane: str
    total: int
    letters: list[Letter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a body says: [args, kwargs], or the whole of it where there is no such thing."""

    task: str
    task_id: str
    fault: str
    args: list[Any]
    arguments: Any = None


def look(lane: Lane, in_full: bool = False) -> Look:
    """Up to 200 letters, the one that was sent first at the top. Raises QueuesAway, and django.db errors."""
    sqs = control.client(settings.AWS_REGION, TIMEOUT_S)
    with sqs_or_away():
        sample = sampling.sample(sqs, lane.dlq_url)
    decoded = [decode(seen.body, lane) for seen in sample.messages]
    failures = failures_of({one.task_id for one in decoded if not one.fault})
    outbound = _outbound(decoded)
    letters = [
        Letter(
            message_id=seen.message_id,
            sent_at=seen.sent_at,
            first_received_at=seen.first_received_at,
            receive_count=seen.receive_count,
            size=len(seen.body.encode()),
            task=one.task,
            task_id=one.task_id,
            fault=one.fault,
            arguments=_shown(one.arguments, in_full),
            body=_body(seen, one, in_full),
            failure=None if one.fault else failures.get(one.task_id),
            outbound=next((outbound[pk] for pk in message_ids(one) if pk in outbound), None),
        )
        for seen, one in zip(sample.messages, decoded, strict=True)
    ]
    return Look(lane.name, max(sample.depth.total, len(letters)), letters)


def decode(body: str, lane: Lane) -> Decoded:
    """What the lane's worker sees in a body, and why it would not run it."""
    try:
        payload = envelope.payload_in(body)
    except envelope.MalformedMessage:
        return _foreign(body)
    headers = payload.get("headers")
    named = headers if isinstance(headers, dict) else {}
    task = str(named.get("task", ""))
    task = task if _TASK.fullmatch(task) else ""
    task_id = named["id"] if isinstance(named.get("id"), str) else ""
    try:
        args, kwargs, _ = envelope.check(payload, lane.tasks)
    except envelope.MalformedMessage as fault:
        words = _words(str(fault), payload)
        return Decoded(task, task_id, words, [], payload)
    return Decoded(task, task_id, "", args, {"args": args, **({"kwargs": kwargs} if kwargs else {})})


def message_ids(decoded: Decoded) -> Iterator[UUID]:
    """Our messages that a letter of the outgoing lane is about."""
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


def named(seen: SampledMessage, lane: Lane) -> dict[str, Any]:
    """A letter by its ids alone, for the audit log."""
    decoded = decode(seen.body, lane)
    about = {
        "sqs": seen.message_id,
        "task": decoded.task,
        "task_id": mask(decoded.task_id)[:100],
        "messages": [str(pk) for pk in message_ids(decoded)][:10],
    }
    return {name: value for name, value in about.items() if value}


def _outbound(decoded: Sequence[Decoded]) -> dict[UUID, Outbound]:
    generations = {next(message_ids(one), None): _generation(one) for one in decoded if one.task == REVIVE}
    wanted = {pk for one in decoded for pk in message_ids(one)}
    rows = Message.objects.filter(pk__in=wanted).values_list("id", "status", "error_code", "error_title", "generation")
    return {
        pk: Outbound(pk, status, code, title, status == "failed" and generations.get(pk, generation) == generation)
        for pk, status, code, title, generation in rows
    }


def _generation(decoded: Decoded) -> object:
    return decoded.args[1] if len(decoded.args) > 1 else None


def _foreign(body: str) -> Decoded:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return Decoded("", "", "It is no task: its body is no JSON. Somebody else writes to this queue.", [])
    return Decoded("", "", "It is no task: its body is JSON, but no Celery envelope.", [], data)


def _words(fault: str, payload: dict[Any, Any]) -> str:
    kind = payload.get("content-type")
    if fault == "no Celery envelope":
        return "It is no task: its body is JSON, but no Celery envelope. Somebody else writes to this queue."
    if fault == "not JSON" and isinstance(kind, str) and _MIME.fullmatch(kind):
        return f"Its arguments are not JSON but {kind}, which is never read."
    return f"The worker did not take it: {fault}."


def _shown(arguments: Any, in_full: bool) -> str:
    if arguments is None:
        return ""
    text = json.dumps(arguments if in_full else veiled(arguments), ensure_ascii=False, indent=1)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\n…"


def _body(seen: SampledMessage, decoded: Decoded, in_full: bool) -> str:
    """The raw body, of what has no decoded form."""
    if decoded.arguments is not None:
        return ""
    return seen.body[:MOST_SHOWN] if in_full else veiled_text(seen.body)
