"""Dead letters that mention a person: exported, or discarded by the monitor process."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from messaging.erasure import CannotReadYet, OtherTable, Person
from monitoring.dead_letters.inspect import TIMEOUT_S, decode
from monitoring.dead_letters.redrive_jobs import active_job, request_job
from monitoring.models import RedriveJob
from monitoring.queue_depth import SqsUnavailable, sqs_errors
from waproject.queues import LANES, Lane
from waproject.sqs import control, sampling


def refusal(person: Person) -> str:
    """Why dead letters cannot be erased now; empty: they can."""
    try:
        for lane in LANES.values():
            if _mentioning(lane, person) and active_job(lane):
                return f"Dead letters of {lane.name} are being moved. Erase again in a minute."
    except CannotReadYet as error:
        return str(error)
    return ""


def discard(person: Person) -> int:
    """Have every dead letter discarded that mentions the person; returns how many."""
    count = 0
    for lane in LANES.values():
        ids = [message.message_id for message, _ in _mentioning(lane, person)]
        if ids:
            request_job(lane, RedriveJob.Action.DISCARD, ids, "erasure")
        count += len(ids)
    return count


def dead_letters_of(person: Person) -> Iterator[dict[str, Any]]:
    """The dead letters that mention the person."""
    for lane in LANES.values():
        for message, arguments in _mentioning(lane, person):
            yield {"lane": lane.name, "sent_at": message.sent_at, "arguments": arguments}


def _mentioning(lane: Lane, person: Person) -> Iterable[tuple[sampling.SampledMessage, Any]]:
    found = ((message, _content(message, lane)) for message in _messages(lane))
    return [
        (message, content)
        for message, content in found
        if person.is_mentioned_in(json.dumps(content, ensure_ascii=False))
    ]


def _content(message: sampling.SampledMessage, lane: Lane) -> Any:
    """The arguments; the text of a body that has no decoded form."""
    arguments = decode(message.body, lane).arguments
    return message.body if arguments is None else arguments


def _messages(lane: Lane) -> list[sampling.SampledMessage]:
    """All messages of the dead-letter queue. Raises CannotReadYet."""
    try:
        with sqs_errors():
            found = sampling.sample(control.client(settings.AWS_REGION, TIMEOUT_S), lane.dlq_url)
    except SqsUnavailable:
        raise CannotReadYet("SQS is unavailable, so dead letters cannot be read. Repeat once it answers.") from None
    if found.depth.total > len(found.messages):
        raise CannotReadYet(
            f"The dead-letter queue of {lane.name} has more messages ({found.depth.total:,}) than can be read "
            f"({len(found.messages):,}): redrive or discard them, then repeat."
        )
    return found.messages


TABLES = (OtherTable("dead letters", discard, dead_letters_of, refusal),)
