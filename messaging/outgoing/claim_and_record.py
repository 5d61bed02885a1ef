"""Claims of released rows by a worker, and the recording of their outcomes."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from messaging.contacts import IS_SUPPRESSED, record_whatsapp_ids, withdraw_or_allow
from messaging.lifecycle import Change, advance_many, retry_on_deadlock
from messaging.models import DEFAULT_TOKEN_NAME, OnUnknown, Priority
from messaging.outgoing import rate_limits, retry_policy
from messaging.outgoing.holds.suspensions import Refusal, apply_suspensions
from messaging.outgoing.release import Release
from messaging.outgoing.retry_settings import limits
from messaging.portfolios import Rejection, give_back
from messaging.states import Status
from messaging.traces import contexts_of
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, Rejected, Scope, WhatsAppError

# The lease of a claimed row: a call (20 s) and the wait for a free call of its process. The shorter it is, the sooner
# the rows of a killed worker are settled.
LEASE_S = 45


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process may send until `lease_until`."""

    message_id: UUID
    release_id: UUID
    number_id: int
    phone_number_id: str
    peer: str
    type: str
    content: dict[str, object]
    attempts: int
    lease_until: datetime
    # The number of this call, from 1, for its Attempt.
    call: int = 1
    capped: bool = False
    fail_unknown: bool = False
    # The number's latest outcomes were unknown: this outcome ends the streak or prolongs it.
    has_unknown_streak: bool = False
    context_wamid: str = ""
    # The spelling of `peer` for the Cloud API, if it differs.
    sent_to: str | None = None
    # When the call may start, in seconds of time.monotonic(); and Meta's limit of the number in messages a second.
    call_at: float = 0.0
    rate: int = 1000
    # Late calls of a number start in this order (`Priority`), the lowest first.
    priority: int = Priority.NORMAL
    # The trace context of the request that created it, while traces are on.
    traceparent: str | None = None
    # The variable of its account's access token.
    token_name: str = DEFAULT_TOKEN_NAME

    @property
    def to(self) -> str:
        """The recipient as the Cloud API gets it."""
        return self.sent_to or self.peer

    @property
    def template(self) -> str:
        """The template's name; empty for other types."""
        return str(self.content.get("name", "")) if self.type == "template" else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a claimed row: Meta's acceptance, an error, or None if the lease left no time for a call."""

    claimed: Claimed
    result: Accepted | WhatsAppError | None
    at: datetime


@retry_on_deadlock
def claim(batches: Sequence[Release]) -> list[Claimed]:
    """Lease the rows of these releases. Skips rows whose status has changed, so a duplicate task claims nothing.

    Rows whose contact was blocked or opted out since the release are skipped too; the ones that consent forbids are
    cancelled, the others are claimed in a second statement.
    """
    rows = _claim(batches, f"NOT {IS_SUPPRESSED}")
    ids = [message_id for batch in batches for message_id in batch.message_ids]
    if len(rows) < len(ids):
        with transaction.atomic():
            if allowed := withdraw_or_allow(ids, "worker"):
                rows += _claim(batches, "m.id = ANY(%(allowed)s::uuid[])", allowed)
    return rows


def _claim(batches: Sequence[Release], condition: str, allowed: Sequence[UUID] = ()) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH locked AS (
              SELECT m.id, m.number_id FROM messaging_message m
              JOIN unnest(%(ids)s::uuid[], %(releases)s::uuid[]) AS g(id, release_id) ON m.id = g.id
              WHERE m.release_id = g.release_id AND m.status = 'queued' ORDER BY m.id FOR UPDATE OF m
            ), claimed AS (
              UPDATE messaging_message m SET status = 'sending', updated_at = statement_timestamp(),
                lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
                releases = 0, calls = m.calls + 1
              FROM locked l, messaging_businessnumber n
              WHERE m.id = l.id AND m.status = 'queued' AND n.id = l.number_id
                AND n.paused_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > statement_timestamp())
                AND {condition}
              RETURNING m.id, m.release_id, m.number_id, n.phone_number_id, m.peer, m.type, m.content, m.attempts,
                m.lease_until, m.calls, m.capped_at, m.on_unknown, n.failures, m.context_wamid, m.sent_to,
                m.call_at, n.rate, m.priority,
                (SELECT a.token_name FROM messaging_account a WHERE a.waba_id = n.waba_id) AS token_name
            ), logged AS (
              INSERT INTO messaging_messageevent (message_id, status, at, source)
              SELECT id, 'sending', statement_timestamp(), 'worker' FROM claimed
            )
            SELECT id, release_id, number_id, phone_number_id, peer, type, content::text, attempts, lease_until, calls,
              capped_at IS NOT NULL, on_unknown, failures > 0, context_wamid, sent_to,
              COALESCE(extract(epoch FROM call_at - statement_timestamp()), 0)::float8, rate, priority, token_name
            FROM claimed
            """,  # noqa: S608 - constants of this project
            {
                "allowed": list(allowed),
                "ids": [message_id for batch in batches for message_id in batch.message_ids],
                "releases": [batch.release_id for batch in batches for _ in batch.message_ids],
                "lease": LEASE_S,
            },
        )
        rows = cursor.fetchall()
    now = time.monotonic()
    return [
        Claimed(
            message_id, release_id, number_id, phone_number_id, peer, kind, json.loads(content), attempts, lease_until,
            call, capped, on_unknown == OnUnknown.FAIL, has_unknown_streak, context_wamid, sent_to,
            now + call_in, rate, priority, None, token_name or DEFAULT_TOKEN_NAME
        )
        for message_id, release_id, number_id, phone_number_id, peer, kind, content, attempts, lease_until, call,
            capped, on_unknown, has_unknown_streak, context_wamid, sent_to, call_in, rate, priority, token_name in rows
    ]  # fmt: skip


def with_contexts(claimed: Sequence[Claimed]) -> Sequence[Claimed]:
    """The same messages with their trace contexts, while traces are on."""
    contexts = contexts_of(one.message_id for one in claimed)
    return [replace(one, traceparent=contexts.get(one.message_id)) for one in claimed] if contexts else claimed


@retry_on_deadlock
def record(outcomes: Sequence[Outcome]) -> None:
    """Record the outcomes of any number of calls, and the suspensions that follow from them.

    Without suspensions this is a single statement, which needs no transaction around it.
    """
    decisions = [(outcome, _decide(outcome)) for outcome in outcomes]
    changes = [_change(outcome, decision) for outcome, decision in decisions]
    refusals = [_refusal(outcome, decision.suspension) for outcome, decision in decisions if decision.suspension]
    refusals += _unreachable(outcomes)
    streaks = _streaks(outcomes)
    if refusals or streaks:
        with transaction.atomic():
            advance_many(changes)
            apply_suspensions(refusals, streaks)
    else:
        advance_many(changes)
    record_whatsapp_ids(_corrected_ids(outcomes))
    if rejections := _rejections(decisions):
        give_back(rejections)


def _rejections(decisions: Sequence[tuple[Outcome, retry_policy.Decision]]) -> list[Rejection]:
    """Messages that Meta never took. After an earlier call, Meta may have taken that one."""
    return [
        Rejection(outcome.claimed.number_id, outcome.claimed.peer, outcome.claimed.message_id)
        for outcome, decision in decisions
        if isinstance(outcome.result, Rejected) and decision.status is Status.FAILED and outcome.claimed.call == 1
    ]


def _corrected_ids(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Meta's ids of recipients for which our spelling differs."""
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
            history = retry_policy.AttemptHistory(claimed.attempts, claimed.capped, claimed.fail_unknown)
            return retry_policy.decide(error, history, limits())


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
        # An acceptance is true of the message even if another release has begun.
        release_id=None if decision.status is Status.ACCEPTED else claimed.release_id,
        call=claimed.call,
        outcome=None if result is None else type(result).__name__,
        caps=decision.caps,
        exhausted=decision.exhausted,
    )


def _due(outcome: Outcome, decision: retry_policy.Decision) -> datetime | None:
    wait = decision.wait
    if (
        wait is None
        and decision.suspension
        and decision.suspension.scope is Scope.TEMPLATE
        and not outcome.claimed.template
    ):
        wait = decision.suspension.wait  # a template's code for a message without one: no hold would delay it
    return None if wait is None else outcome.at + timedelta(seconds=wait)


def _refusal(outcome: Outcome, suspension: retry_policy.Suspension) -> Refusal:
    error = outcome.result
    reason = f"{error.code}: {describe_error(error)}" if isinstance(error, WhatsAppError) else ""
    return Refusal(outcome.claimed.number_id, outcome.claimed.peer, outcome.claimed.template, suspension, reason)


def _unreachable(outcomes: Sequence[Outcome]) -> list[Refusal]:
    """Numbers with several calls of which none left this host."""
    by_number: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_number.setdefault(outcome.claimed.number_id, []).append(outcome)
    return [
        _refusal(calls[0], retry_policy.UNREACHABLE)
        for calls in by_number.values()
        if len(calls) >= retry_policy.UNREACHABLE_CALLS and all(isinstance(call.result, NotSent) for call in calls)
    ]


def _streaks(outcomes: Sequence[Outcome]) -> dict[int, rate_limits.UnknownStreak]:
    """The streak of unknown outcomes of each number that has one or had one. Calls that did not leave do not count."""
    answered = [
        outcome for outcome in outcomes if outcome.result is not None and not isinstance(outcome.result, NotSent)
    ]
    concerned = {
        outcome.claimed.number_id
        for outcome in answered
        if outcome.claimed.has_unknown_streak or isinstance(outcome.result, OutcomeUnknown)
    }
    by_number: dict[int, list[bool | None]] = {number_id: [] for number_id in concerned}
    for outcome in sorted(answered, key=lambda outcome: outcome.at):
        if outcome.claimed.number_id in concerned:
            unknown = isinstance(outcome.result, OutcomeUnknown)
            answer = None if unknown else isinstance(outcome.result, Accepted)
            by_number[outcome.claimed.number_id].append(answer)
    return {number_id: rate_limits.UnknownStreak.of(answers) for number_id, answers in by_number.items()}


def describe_error(error: WhatsAppError) -> str:
    """An error in words for the operator, at most 255 characters."""
    return (error.title or type(error).__name__)[:255]
