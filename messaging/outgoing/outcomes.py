"""Outcomes of claimed rows, recorded with the suspensions that follow from them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection, transaction

from messaging.contacts import record_whatsapp_ids
from messaging.lifecycle import Change, advance_many, retry_on_deadlock
from messaging.models.messages import QUALITY
from messaging.outgoing import rate_limits, retry_policy
from messaging.outgoing.claims import Claimed
from messaging.outgoing.failed_statuses import retry_early_failures
from messaging.outgoing.holds.suspensions import Refusal, apply_suspensions
from messaging.outgoing.retry_settings import limits
from messaging.portfolios import Rejection, uncount_openings
from messaging.states import Status
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, Rejected, Scope, WhatsAppError

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a claimed row: Meta's acceptance, an error, or None without a call, for which its lease or
    `expires_at` left no time."""

    claimed: Claimed
    result: Accepted | WhatsAppError | None
    at: datetime


def record(outcomes: Sequence[Outcome]) -> None:
    """Record the outcomes of any number of calls, and what follows from them for recipients and portfolios."""
    decisions = [(outcome, _decide(outcome)) for outcome in outcomes]
    _record(decisions)
    _follow_up(record_whatsapp_ids, _corrected_ids(outcomes))
    _follow_up(uncount_openings, _rejections(decisions))


def _follow_up(store: Callable[[T], None], facts: T) -> None:
    """Store facts after the outcomes. A failure is only logged: recorded once more, an outcome would be twice in the
    trail, and would suspend twice. The next answer names a WhatsApp id again, and an opening ends within a day.
    """
    if not facts:
        return
    try:
        retry_on_deadlock(store)(facts)
    except Exception as error:
        if connection.in_atomic_block:
            raise  # nothing is committed yet
        logger.error("%s failed after an outcome was recorded: %s", store.__name__, type(error).__name__)


@retry_on_deadlock
def _record(decisions: Sequence[tuple[Outcome, retry_policy.Decision]]) -> None:
    """Record the outcomes, and the suspensions that follow from them.

    An outcome without suspensions is a single statement, which needs no transaction around it. The answer of a later
    call does: a failure that came before it is applied and retried with it.
    """
    outcomes = [outcome for outcome, _ in decisions]
    changes = [_change(outcome, decision) for outcome, decision in decisions]
    refusals = [_refusal(outcome, decision.suspension) for outcome, decision in decisions if decision.suspension]
    refusals += _unreachable(outcomes)
    streaks = _streaks(outcomes)
    if refusals or streaks or any(outcome.claimed.call > 1 for outcome in outcomes):
        with transaction.atomic():
            refusals += retry_early_failures(advance_many(changes))
            apply_suspensions(refusals, streaks)
    else:
        advance_many(changes)


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
        hold=QUALITY if isinstance(result, Accepted) and result.is_held else None,
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
    error, claimed = outcome.result, outcome.claimed
    reason = f"{error.code}: {describe_error(error)}" if isinstance(error, WhatsAppError) else ""
    return Refusal(
        claimed.number_id,
        claimed.peer,
        claimed.template,
        suspension,
        reason,
        called_at=claimed.claimed_at,
        language=claimed.language,
    )


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
