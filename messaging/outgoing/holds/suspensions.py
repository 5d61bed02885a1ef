"""Suspensions after a refusal by Meta: of a number, a recipient, a template or an account.

Workers and sweeps take their locks in this order: messages by id, accounts by id, numbers by id, pairs by recipient,
holds. The dispatcher begins with the number. It does not wait for a due message that is locked; a parked one is locked
only by transactions that wait for no number (cancel, expiry). So a worker with locked messages may wait for the number
here. `tests/messaging/outgoing/test_lock_order.py` holds this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from messaging.lifecycle import alert
from messaging.models import DEFAULT_TOKEN_NAME, Account, BusinessNumber, Message, PairPace
from messaging.outgoing import rate_limits
from messaging.outgoing.holds.holds import SYSTEM, hold_template, template_released_since
from messaging.outgoing.retry_policy import Suspension
from messaging.states import Status
from messaging.whatsapp.errors import Scope

REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal by Meta that suspends more than its message; `reason` in Meta's words, masked.

    `called_at`: at the latest the start of the refused call. What was released later is not suspended: Meta may have
    decided before. If it still refuses, the next call suspends.
    """

    number_id: int
    peer: str
    template: str
    suspension: Suspension
    reason: str
    called_at: datetime
    language: str = ""


def apply_suspensions(refusals: Sequence[Refusal], streaks: Mapping[int, rate_limits.UnknownStreak]) -> None:
    """Store suspensions and the streaks of unknown outcomes by number. Inside a transaction."""
    now = timezone.now()
    waba_ids = _lock_accounts(
        refusal.number_id for refusal in refusals if refusal.template and refusal.suspension.scope is Scope.TEMPLATE
    )
    _pause([refusal for refusal in refusals if refusal.suspension.wait is None])
    timed = [refusal for refusal in refusals if refusal.suspension.wait is not None]
    _throttle_numbers(
        [refusal for refusal in timed if refusal.suspension.scope in {Scope.APP, Scope.ACCOUNT, Scope.NUMBER}],
        streaks,
        now,
    )
    for refusal in sorted(timed, key=lambda refusal: (refusal.number_id, refusal.peer)):
        if refusal.suspension.scope is Scope.PAIR:
            _throttle_pair(refusal, now)
        elif refusal.suspension.scope is Scope.TEMPLATE and refusal.template:
            _hold_template(refusal, waba_ids[refusal.number_id], now)


def pause(
    number_ids: Sequence[int], *, reason: str, by: str, unless_resumed_since: datetime | None = None
) -> list[int]:
    """Release nothing more of these numbers until a person resumes them; returns those that this has paused."""
    with transaction.atomic():
        found = BusinessNumber.objects.select_for_update(no_key=True).filter(pk__in=number_ids, paused_at=None)
        if unless_resumed_since is not None:
            found = found.filter(Q(resumed_at=None) | Q(resumed_at__lte=unless_resumed_since))
        numbers = list(found.order_by("pk"))
        BusinessNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(
            paused_at=timezone.now(), pause_reason=reason[:REASON_LENGTH], paused_by=by
        )
        for number in numbers:
            alert("paused", number.pk, reason)
    return [number.pk for number in numbers]


def resume(number_ids: Sequence[int]) -> None:
    """Release the messages of these numbers again; a pause has lost none."""
    with transaction.atomic():
        numbers = BusinessNumber.objects.filter(pk__in=number_ids)
        list(numbers.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        numbers.update(
            paused_at=None,
            pause_reason="",
            paused_by="",
            resumed_at=Now(),
            throttled_until=None,
            failures=0,
            probe_at=None,
            probe_step=0,
        )


def first_refused_message(number_id: int) -> Message | None:
    """The first message of a resumed number if Meta has refused it before; else None."""
    due = Message.objects.filter(number_id=number_id, status=Status.PENDING, due_at__isnull=False, hold=None)
    first = due.select_related("number").order_by("priority", "due_at", "id").first()
    return first if first is not None and first.error_code is not None else None


def _pause(refusals: Sequence[Refusal]) -> None:
    latest = sorted(refusals, key=lambda refusal: refusal.called_at)
    for refusal in {(refusal.number_id, refusal.suspension.scope): refusal for refusal in latest}.values():
        number = BusinessNumber.objects.get(pk=refusal.number_id)
        match refusal.suspension.scope:
            case Scope.APP:
                numbers = _with_the_token_of(number)
            case Scope.ACCOUNT:
                # Numbers whose account is unknown count as one account: nothing says that they are not.
                numbers = BusinessNumber.objects.filter(waba_id=number.waba_id)
            case _:
                numbers = BusinessNumber.objects.filter(pk=number.pk)
        pause(
            list(numbers.values_list("pk", flat=True)),
            reason=refusal.reason,
            by=SYSTEM,
            unless_resumed_since=refusal.called_at,
        )


def _lock_accounts(number_ids: Iterable[int]) -> dict[int, str]:
    """The WABA ids of these numbers. Locked until the end: who stores an approval of a template locks its account."""
    waba_ids = dict(BusinessNumber.objects.filter(pk__in=number_ids).values_list("pk", "waba_id"))
    list(Account.objects.select_for_update(no_key=True).filter(waba_id__in=waba_ids.values()).order_by("pk"))
    return waba_ids


def _hold_template(refusal: Refusal, waba_id: str, now: datetime) -> None:
    if template_released_since(
        refusal.called_at, refusal.template, refusal.number_id, waba_id=waba_id, language=refusal.language
    ):
        return
    # Meta pauses a template of an account in one language. The number stands for an unknown account.
    hold_template(
        refusal.template,
        None if waba_id else refusal.number_id,
        waba_id=waba_id,
        language=refusal.language,
        reason=refusal.reason,
        by=SYSTEM,
        until=now + timedelta(seconds=refusal.suspension.wait or 0),
    )


def _with_the_token_of(number: BusinessNumber) -> QuerySet[BusinessNumber]:
    """The numbers whose accounts use the same access token."""
    named = Account.objects.filter(waba_id=number.waba_id).values_list("token_name", flat=True).first()
    token_name = named or DEFAULT_TOKEN_NAME
    if token_name != DEFAULT_TOKEN_NAME:
        accounts = Account.objects.filter(token_name=token_name)
        return BusinessNumber.objects.filter(waba_id__in=accounts.values("waba_id"))
    others = Account.objects.exclude(token_name=DEFAULT_TOKEN_NAME)
    return BusinessNumber.objects.exclude(waba_id__in=others.values("waba_id"))


def _throttle_numbers(
    refusals: Sequence[Refusal], streaks: Mapping[int, rate_limits.UnknownStreak], now: datetime
) -> None:
    if not (refusals or streaks):
        return
    accounts = _accounts_of(refusals)
    for number in _numbers_in_reach(refusals, streaks, accounts):
        # The longest wait first: shorter ones within it change nothing.
        for refusal in sorted(refusals, key=lambda refusal: -(refusal.suspension.wait or 0.0)):
            if _reaches(refusal, number, accounts):
                _throttle(number, refusal.suspension, now)
        if streak := streaks.get(number.pk):
            _count_unknown_outcomes(number, streak, now)
        number.save(
            update_fields=[
                "throttled_until", "throttles", "pace_share", "slowed_at", "failures", "probe_at", "probe_step"
            ]
        )  # fmt: skip


def _accounts_of(refusals: Sequence[Refusal]) -> dict[int, str]:
    """The WABA ids of the numbers that an account's throttle has met; those of unknown accounts are left out."""
    met = {refusal.number_id for refusal in refusals if refusal.suspension.scope is Scope.ACCOUNT}
    numbers = BusinessNumber.objects.filter(pk__in=met).exclude(waba_id="") if met else BusinessNumber.objects.none()
    return dict(numbers.values_list("pk", "waba_id"))


def _numbers_in_reach(
    refusals: Sequence[Refusal], streaks: Mapping[int, rate_limits.UnknownStreak], accounts: Mapping[int, str]
) -> QuerySet[BusinessNumber]:
    """Locked, in the order of their ids."""
    numbers = BusinessNumber.objects.select_for_update(no_key=True).order_by("pk")
    if any(refusal.suspension.scope is Scope.APP for refusal in refusals):
        return numbers
    named = Q(pk__in={refusal.number_id for refusal in refusals} | set(streaks))
    return numbers.filter(named | Q(waba_id__in=set(accounts.values())))


def _reaches(refusal: Refusal, number: BusinessNumber, accounts: Mapping[int, str]) -> bool:
    """Whether a refusal throttles a number: its own; those of its account; all, as an installation has one app."""
    if number.resumed_at is not None and number.resumed_at > refusal.called_at:
        return False
    if refusal.suspension.scope is Scope.APP or refusal.number_id == number.pk:
        return True
    return refusal.suspension.scope is Scope.ACCOUNT and accounts.get(refusal.number_id, "") == number.waba_id != ""


def _throttle(number: BusinessNumber, suspension: Suspension, now: datetime) -> None:
    """Throttle a number, once for all refusals of calls that ran at the same time.

    A throttle of the app or the account may come within a shorter one of the number, and then prolongs it.
    """
    first = suspension.wait or 0.0
    if number.throttled_until and number.throttled_until > now:
        if suspension.scope in {Scope.APP, Scope.ACCOUNT}:
            number.throttled_until = max(number.throttled_until, now + timedelta(seconds=first))
        return
    rule = rate_limits.NUMBER_THROTTLES
    in_a_row = number.throttled_until is not None and now - number.throttled_until < rule.within
    number.throttles = rate_limits.next_throttle(number.throttles) if in_a_row else 1
    wait = max(first, rule.wait(first, suspension.growth, number.throttles))
    number.throttled_until = now + timedelta(seconds=wait)
    if suspension.slows:
        share = rate_limits.recovered_share(number.pace_share, number.slowed_at, now)
        number.pace_share = max(rate_limits.MIN_SHARE, share * rate_limits.THROTTLE_FACTOR)
        number.slowed_at = number.throttled_until


def _count_unknown_outcomes(number: BusinessNumber, streak: rate_limits.UnknownStreak, now: datetime) -> None:
    before, number.failures = number.failures, streak.count(number.failures)
    if number.failures < rate_limits.PROBES_AFTER:
        number.probe_at, number.probe_step = None, 0
    elif before < rate_limits.PROBES_AFTER:
        number.probe_step = 1
        number.probe_at = now + timedelta(seconds=number.probe_step)
        alert("breaker", number.pk, f"{number.failures} calls in a row with an unknown outcome")


def _throttle_pair(refusal: Refusal, now: datetime) -> None:
    pair, _ = PairPace.objects.select_for_update().get_or_create(number_id=refusal.number_id, peer=refusal.peer)
    if pair.not_before and pair.not_before > now:
        return
    rule = rate_limits.PAIR_THROTTLES
    in_a_row = pair.not_before is not None and now - pair.not_before < rule.within
    pair.throttles = rate_limits.next_throttle(pair.throttles) if in_a_row else 1
    wait = rule.wait(refusal.suspension.wait or 0.0, refusal.suspension.growth, pair.throttles)
    pair.not_before = now + timedelta(seconds=wait)
    pair.save(update_fields=["not_before", "throttles"])
