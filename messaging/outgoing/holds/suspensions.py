"""Suspensions after a refusal by Meta: of a number, a recipient, a template or an account.

Locks are taken in one order by everybody: numbers by id, then pairs, then holds. The dispatcher begins with the number
too, and only skips messages that are locked, so a worker that holds messages may wait for it here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from messaging.lifecycle import alert
from messaging.models import BusinessNumber, Message, PairPace
from messaging.outgoing import rate_limits
from messaging.outgoing.holds.holds import hold_template
from messaging.outgoing.retry_policy import Stop
from messaging.states import Status
from messaging.whatsapp.errors import Scope

REASON_LENGTH = 200
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Report:
    """One refusal that stops more than its message; `reason` in Meta's words, masked."""

    number_id: int
    peer: str
    template: str
    stop: Stop
    reason: str


def apply_stops(reports: Sequence[Report], streaks: Mapping[int, rate_limits.Streak]) -> None:
    """Write down what stops, and each number's unknown outcomes in a row. To be called inside a transaction."""
    now = timezone.now()
    _pause([report for report in reports if report.stop.wait is None])
    timed = [report for report in reports if report.stop.wait is not None]
    everywhere = [report for report in timed if report.stop.scope in {Scope.APP, Scope.ACCOUNT}]
    _slow_numbers([report for report in timed if report.stop.scope is Scope.NUMBER], everywhere, streaks, now)
    for report in sorted(timed, key=lambda report: (report.number_id, report.peer)):
        if report.stop.scope is Scope.PAIR:
            _slow_pair(report, now)
        elif report.stop.scope is Scope.TEMPLATE and report.template:
            hold_template(
                report.template,
                report.number_id,
                reason=report.reason,
                by=SYSTEM,
                until=now + timedelta(seconds=report.stop.wait or 0),
            )


def pause(number_ids: Sequence[int], *, reason: str, by: str) -> list[int]:
    """Release nothing more of these numbers until a person resumes them; returns those that were not paused yet."""
    with transaction.atomic():
        numbers = list(
            BusinessNumber.objects.select_for_update(no_key=True)
            .filter(pk__in=number_ids, paused_at=None)
            .order_by("pk")
        )
        BusinessNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(
            paused_at=timezone.now(), pause_reason=reason[:REASON_LENGTH], paused_by=by
        )
        for number in numbers:
            alert("paused", number.pk, reason)
    return [number.pk for number in numbers]


def resume(number_ids: Sequence[int]) -> None:
    """Go on with these numbers; whatever was to be sent is still there."""
    BusinessNumber.objects.filter(pk__in=number_ids).update(
        paused_at=None, pause_reason="", paused_by="", throttled_until=None, failures=0, probe_at=None, probe_step=0
    )


def refused_first(number_id: int) -> Message | None:
    """The message that goes first once a number is resumed, where Meta has refused it before; None where it has not."""
    due = Message.objects.filter(number_id=number_id, status=Status.PENDING, due_at__isnull=False, hold=None)
    first = due.select_related("number").order_by("priority", "due_at", "id").first()
    return first if first is not None and first.error_code is not None else None


def _pause(reports: Sequence[Report]) -> None:
    for report in {(report.number_id, report.stop.scope): report for report in reports}.values():
        number = BusinessNumber.objects.get(pk=report.number_id)
        match report.stop.scope:
            case Scope.APP:
                numbers = BusinessNumber.objects.all()
            case Scope.ACCOUNT:
                numbers = BusinessNumber.objects.filter(waba_id=number.waba_id)
            case _:
                numbers = BusinessNumber.objects.filter(pk=number.pk)
        pause(list(numbers.values_list("pk", flat=True)), reason=report.reason, by=SYSTEM)


def _slow_numbers(
    reports: Sequence[Report], everywhere: Sequence[Report], streaks: Mapping[int, rate_limits.Streak], now: datetime
) -> None:
    by_number = {report.number_id: report for report in reports}
    touched = {*by_number, *streaks}
    if not (touched or everywhere):
        return
    numbers = BusinessNumber.objects.select_for_update(no_key=True).order_by("pk")
    for number in numbers if everywhere else numbers.filter(pk__in=touched):
        if report := by_number.get(number.pk):
            _throttle(number, report.stop, now)
        if everywhere:
            _throttle(number, everywhere[0].stop, now)
        if streak := streaks.get(number.pk):
            _count(number, streak, now)
        number.save(
            update_fields=[
                "throttled_until", "throttles", "pace_share", "slowed_at", "failures", "probe_at", "probe_step"
            ]
        )  # fmt: skip


def _throttle(number: BusinessNumber, stop: Stop, now: datetime) -> None:
    """Calls that were under way together are refused together: that is one throttle and not many."""
    if number.throttled_until and number.throttled_until > now:
        return
    rule = rate_limits.NUMBER_THROTTLES
    in_a_row = number.throttled_until is not None and now - number.throttled_until < rule.within
    number.throttles = number.throttles + 1 if in_a_row else 1
    first = stop.wait or 0.0
    wait = max(first, rule.wait(first, stop.growth, number.throttles))
    number.throttled_until = now + timedelta(seconds=wait)
    if stop.slows:
        share = rate_limits.grown_share(number.pace_share, number.slowed_at, now)
        number.pace_share = max(rate_limits.SLOWEST, share * rate_limits.SLOWER)
        number.slowed_at = number.throttled_until


def _count(number: BusinessNumber, streak: rate_limits.Streak, now: datetime) -> None:
    before, number.failures = number.failures, streak.count(number.failures)
    if number.failures < rate_limits.BREAKS_AFTER:
        number.probe_at, number.probe_step = None, 0
    elif before < rate_limits.BREAKS_AFTER:
        number.probe_step = 1
        number.probe_at = now + timedelta(seconds=number.probe_step)
        alert("breaker", number.pk, f"{number.failures} calls in a row whose outcome nobody knows")


def _slow_pair(report: Report, now: datetime) -> None:
    pair, _ = PairPace.objects.select_for_update().get_or_create(number_id=report.number_id, peer=report.peer)
    if pair.not_before and pair.not_before > now:
        return
    rule = rate_limits.PAIR_THROTTLES
    in_a_row = pair.not_before is not None and now - pair.not_before < rule.within
    pair.throttles = pair.throttles + 1 if in_a_row else 1
    wait = rule.wait(report.stop.wait or 0.0, report.stop.growth, pair.throttles)
    pair.not_before = now + timedelta(seconds=wait)
    pair.save(update_fields=["not_before", "throttles"])
