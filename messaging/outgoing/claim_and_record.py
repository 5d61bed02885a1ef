"""Claims of released rows by a worker, and the outcomes of their calls."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from messaging.contacts import learn_whatsapp_ids
from messaging.lifecycle import Change, advance_many, retrying_deadlocks
from messaging.models import OnUnknown
from messaging.outgoing import rate_limits, retry_policy
from messaging.outgoing.holds.suspensions import Report, apply_stops
from messaging.outgoing.release import Release
from messaging.outgoing.retry_settings import limits
from messaging.states import Status
from messaging.traces import contexts_of
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, Scope, WhatsAppError

# A claimed row is its worker's for this long: a call (20 s) and its turn among the calls of its process. The task
# does not hold the row, so this need not outlast the task; the sooner it ends, the sooner a killed worker's rows are
# settled.
LEASE_S = 45


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours to send until `lease_until`."""

    message_id: UUID
    release_id: UUID
    number_id: int
    phone_number_id: str
    peer: str
    type: str
    content: dict[str, object]
    attempts: int
    lease_until: datetime
    # The how manieth call this is, for its Attempt.
    call: int = 1
    capped: bool = False
    fail_unknown: bool = False
    # The number had unknown outcomes just before: this call's outcome ends the row of them, or prolongs it.
    troubled: bool = False
    context_wamid: str = ""
    # The spelling of `peer` that WhatsApp is given, where it is another.
    sent_to: str | None = None
    # The context of the request that made it, while traces are on.
    traceparent: str | None = None

    @property
    def to(self) -> str:
        """The recipient as the Cloud API is told."""
        return self.sent_to or self.peer

    @property
    def template(self) -> str:
        """The template's name; empty where it is none."""
        return str(self.content.get("name", "")) if self.type == "template" else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claimed row: Meta's acceptance, an error, or None when no call was made in time."""

    claimed: Claimed
    result: Accepted | WhatsAppError | None
    at: datetime


@retrying_deadlocks
def claim(batches: Sequence[Release]) -> list[Claimed]:
    """Take the rows of these releases. Rows that moved on since are not returned: a copy of a task claims nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH claimed AS (
              UPDATE messaging_message m SET status = 'sending', updated_at = statement_timestamp(),
                lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
                releases = 0, calls = m.calls + 1
              FROM unnest(%(ids)s::uuid[], %(releases)s::uuid[]) AS g(id, release_id), messaging_businessnumber n
              WHERE m.id = g.id AND m.release_id = g.release_id AND m.status = 'queued' AND n.id = m.number_id
                AND n.paused_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > statement_timestamp())
              RETURNING m.id, m.release_id, m.number_id, n.phone_number_id, m.peer, m.type, m.content, m.attempts,
                m.lease_until, m.calls, m.capped_at, m.on_unknown, n.failures, m.context_wamid, m.sent_to
            ), logged AS (
              INSERT INTO messaging_messageevent (message_id, status, at, source)
              SELECT id, 'sending', statement_timestamp(), 'worker' FROM claimed
            )
            SELECT id, release_id, number_id, phone_number_id, peer, type, content::text, attempts, lease_until, calls,
              capped_at IS NOT NULL, on_unknown, failures > 0, context_wamid, sent_to
            FROM claimed
            """,
            {
                "ids": [message_id for batch in batches for message_id in batch.message_ids],
                "releases": [batch.release_id for batch in batches for _ in batch.message_ids],
                "lease": LEASE_S,
            },
        )
        rows = cursor.fetchall()
    return [
        Claimed(
            message_id, release_id, number_id, phone_number_id, peer, kind, json.loads(content), attempts, lease_until,
            call, capped, on_unknown == OnUnknown.FAIL, troubled, context_wamid, sent_to
        )
        for message_id, release_id, number_id, phone_number_id, peer, kind, content, attempts, lease_until, call,
            capped, on_unknown, troubled, context_wamid, sent_to in rows
    ]  # fmt: skip


def traced(claimed: Sequence[Claimed]) -> Sequence[Claimed]:
    """The same with their contexts, while traces are on."""
    contexts = contexts_of(one.message_id for one in claimed)
    return [replace(one, traceparent=contexts.get(one.message_id)) for one in claimed] if contexts else claimed


@retrying_deadlocks
def record(outcomes: Sequence[Outcome]) -> None:
    """Write what came of any number of calls, and what has to wait because of them.

    Where all went well that is one statement, which needs no transaction around it.
    """
    decisions = [(outcome, _decide(outcome)) for outcome in outcomes]
    changes = [_change(outcome, decision) for outcome, decision in decisions]
    reports = [_report(outcome, decision.stop) for outcome, decision in decisions if decision.stop]
    reports += _unreachable(outcomes)
    streaks = _streaks(outcomes)
    if reports or streaks:
        with transaction.atomic():
            advance_many(changes)
            apply_stops(reports, streaks)
    else:
        advance_many(changes)
    learn_whatsapp_ids(_other_ids(outcomes))


def _other_ids(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Meta's own ids of the recipients whom we had written otherwise."""
    return {
        outcome.claimed.peer: outcome.result.wa_id
        for outcome in outcomes
        if isinstance(outcome.result, Accepted) and outcome.result.wa_id not in (None, outcome.claimed.to)
    }


def _decide(outcome: Outcome) -> retry_policy.Decision:
    match outcome.result:
        case Accepted():
            return retry_policy.Decision(Status.ACCEPTED, counts=True)
        case None:
            return retry_policy.Decision(Status.PENDING)
        case error:
            claimed = outcome.claimed
            so_far = retry_policy.SoFar(claimed.attempts, claimed.capped, claimed.fail_unknown)
            return retry_policy.decide(error, so_far, limits())


def _change(outcome: Outcome, decision: retry_policy.Decision) -> Change:
    result, claimed = outcome.result, outcome.claimed
    error = result if isinstance(result, WhatsAppError) else None
    return Change(
        claimed.message_id,
        decision.status,
        outcome.at,
        "worker",
        wamid=result.wamid if isinstance(result, Accepted) else None,
        error_code=error.code if error else None,
        error_title=describe_error(error) if error else "",
        due_at=_due(outcome, decision),
        counts=decision.counts,
        # That Meta has it is true of the message, whatever became of the release.
        release_id=None if decision.status is Status.ACCEPTED else claimed.release_id,
        call=claimed.call,
        outcome=None if result is None else type(result).__name__,
        caps=decision.caps,
        exhausted=decision.exhausted,
    )


def _due(outcome: Outcome, decision: retry_policy.Decision) -> datetime | None:
    wait = decision.wait
    if wait is None and decision.stop and decision.stop.scope is Scope.TEMPLATE and not outcome.claimed.template:
        wait = decision.stop.wait  # Meta speaks of a template and we see none: nothing else would hold the message back
    return None if wait is None else outcome.at + timedelta(seconds=wait)


def _report(outcome: Outcome, stop: retry_policy.Stop) -> Report:
    error = outcome.result
    reason = f"{error.code}: {describe_error(error)}" if isinstance(error, WhatsAppError) else ""
    return Report(outcome.claimed.number_id, outcome.claimed.peer, outcome.claimed.template, stop, reason)


def _unreachable(outcomes: Sequence[Outcome]) -> list[Report]:
    """The numbers of which nothing at all left us, several calls long."""
    by_number: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_number.setdefault(outcome.claimed.number_id, []).append(outcome)
    return [
        _report(calls[0], retry_policy.UNREACHABLE)
        for calls in by_number.values()
        if len(calls) >= retry_policy.UNREACHABLE_CALLS and all(isinstance(call.result, NotSent) for call in calls)
    ]


def _streaks(outcomes: Sequence[Outcome]) -> dict[int, rate_limits.Streak]:
    """Each number's unknown outcomes in a row, where there are any, or were before. What did not go says nothing."""
    said = [outcome for outcome in outcomes if outcome.result is not None and not isinstance(outcome.result, NotSent)]
    concerned = {
        outcome.claimed.number_id
        for outcome in said
        if outcome.claimed.troubled or isinstance(outcome.result, OutcomeUnknown)
    }
    by_number: dict[int, list[bool | None]] = {number_id: [] for number_id in concerned}
    for outcome in sorted(said, key=lambda outcome: outcome.at):
        if outcome.claimed.number_id in concerned:
            unknown = isinstance(outcome.result, OutcomeUnknown)
            answer = None if unknown else isinstance(outcome.result, Accepted)
            by_number[outcome.claimed.number_id].append(answer)
    return {number_id: rate_limits.Streak.of(answers) for number_id, answers in by_number.items()}


def describe_error(error: WhatsAppError) -> str:
    """An error in the operator's words, at most 255 characters."""
    return (error.title or type(error).__name__)[:255]
