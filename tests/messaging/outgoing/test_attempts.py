"""Several attempts of one message: which attempt a status belongs to, and duplicate sends."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.incoming.store import receive
from messaging.models import Attempt, Message
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.recovery import sweep_expired_leases
from messaging.outgoing.release import release
from messaging.whatsapp.errors import NotSent, OutcomeUnknown
from tests.messaging.bodies import status, webhook
from tests.messaging.factories import accepted, answered, claimed, number, states_of
from tests.messaging.lock_order import is_waited_for
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BUSY = [{"code": 131000, "title": "busy"}]
NO_ANSWER = OutcomeUnknown(title="no answer")


def reports(message_id: Any, state: str, wamid: str, **more: Any) -> None:
    """A status webhook of Meta's."""
    receive(webhook(statuses=(status(state, wamid, callback=str(message_id), **more),)))


def duplicate_sends() -> list[Any]:
    return list(Message.objects.filter(duplicate_found_at__isnull=False).values_list("id", flat=True))


def sent_again(row: Claimed) -> Claimed:
    """The message claimed once more, as after a decision to send it again."""
    Message.objects.filter(pk=row.message_id).update(
        status="pending", due_at=timezone.now(), released_at=None, outcome_at=None, unknown_at=None, hold=None
    )
    (batch,) = release(number().pk)
    (next_row,) = claim([batch])
    return next_row


def test_attempts_are_numbered_by_call() -> None:
    row = claimed()
    answered(row, NotSent())
    answered(sent_again(row), accepted())
    assert list(Attempt.objects.order_by("n").values_list("n", "outcome")) == [(1, "NotSent"), (2, "Accepted")]


def test_an_outcome_that_is_recorded_twice_is_one_attempt() -> None:
    row = claimed()
    for _ in range(2):
        record([Outcome(row, accepted(), timezone.now())])
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_waits_for_the_sweep_of_its_lease_is_no_second_attempt() -> None:
    row = claimed()
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    def work() -> None:
        try:
            record([Outcome(row, accepted(), timezone.now())])
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        sweep_expired_leases()
        thread.start()
        waited = eventually(is_waited_for, every=0.01)
    thread.join()
    attempts = list(Attempt.objects.values_list("n", "outcome"))
    assert (waited, states_of(row.message_id), attempts) == (True, ["accepted"], [(1, "LeaseExpired")])


def test_a_message_with_two_accepted_wamids_is_a_duplicate_send() -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    answered(sent_again(row), accepted("wamid.TWO"))
    reports(row.message_id, "sent", "wamid.ONE")
    assert duplicate_sends() == [row.message_id]


def test_it_is_a_duplicate_send_too_if_the_first_status_overtakes_the_second_answer() -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    second = sent_again(row)
    reports(row.message_id, "delivered", "wamid.ONE")
    answered(second, accepted("wamid.TWO"))
    assert len(duplicate_sends()) == 1


def test_an_operator_is_alerted_to_a_duplicate_send_once(
    alerts: list[Any], django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    answered(sent_again(row), accepted("wamid.TWO"))
    with django_capture_on_commit_callbacks(execute=True):
        for state in ("sent", "delivered"):
            reports(row.message_id, state, "wamid.ONE")
    assert alerts == [("doubled", str(row.message_id))]
    assert f"alert doubled {row.message_id}: Meta accepted this message twice" in caplog.text


def test_a_status_overrides_a_failure_for_want_of_an_answer() -> None:
    row = replace(claimed(), fail_unknown=True)
    failed = answered(row, NO_ANSWER)
    reports(row.message_id, "sent", "wamid.ONE")
    assert (failed.status, states_of(row.message_id)) == ("failed", ["sent"])


def test_a_resend_after_a_failure_is_no_duplicate_send() -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    answered(sent_again(row), accepted("wamid.TWO"))
    reports(row.message_id, "delivered", "wamid.TWO")
    assert (states_of(row.message_id), duplicate_sends()) == (["delivered"], [])


def test_a_failure_of_an_earlier_attempt_does_not_fail_the_message() -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    answered(sent_again(row), accepted("wamid.TWO"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131026, "title": "x"}])
    assert states_of(row.message_id) == ["accepted"]


def test_a_failure_that_overtakes_its_own_answer_fails_the_message_with_its_reason() -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    second = sent_again(row)
    reports(row.message_id, "failed", "wamid.TWO", errors=[{"code": 131026, "title": "x"}])
    message = answered(second, accepted("wamid.TWO"))
    assert (message.status, message.error_code, message.error_title) == ("failed", 131026, "x")


def test_meta_repeating_a_failure_does_not_fail_the_retry() -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    for _ in range(2):
        reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    assert states_of(row.message_id) == ["pending"]


def test_a_late_sent_of_the_failed_attempt_does_not_end_the_retry() -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    reports(row.message_id, "sent", "wamid.ONE")
    assert states_of(row.message_id) == ["pending"]


def failed_first() -> Claimed:
    """The second call of a message whose first attempt Meta has taken and failed."""
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    return sent_again(row)


@pytest.mark.parametrize("answer", [accepted("wamid.TWO"), NO_ANSWER])
def test_a_retry_that_meta_sends_before_its_answer_fails_by_its_own_failure(answer: Any) -> None:
    row = failed_first()
    reports(row.message_id, "sent", "wamid.TWO")
    answered(row, answer)
    reports(row.message_id, "failed", "wamid.TWO", errors=[{"code": 131026, "title": "x"}])
    assert states_of(row.message_id) == ["failed"]


def test_a_retry_that_meta_sends_before_its_answer_has_its_own_wamid() -> None:
    row = failed_first()
    reports(row.message_id, "delivered", "wamid.TWO")
    assert Message.objects.get().wamid == "wamid.TWO"


def test_a_repeated_failure_of_the_first_attempt_leaves_a_sent_retry_alone() -> None:
    row = failed_first()
    reports(row.message_id, "sent", "wamid.TWO")
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    assert states_of(row.message_id) == ["sent"]


@pytest.mark.parametrize("state", ["sent", "failed"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_failure_of_the_first_attempt_beside_a_status_of_the_retry_does_not_hide_it(state: str, order: int) -> None:
    row = failed_first()
    answered(row, accepted("wamid.TWO"))
    callback = str(row.message_id)
    reason: dict[str, Any] = {"errors": [{"code": 131026, "title": "of the retry"}]} if state == "failed" else {}
    repeated = status("failed", "wamid.ONE", callback, errors=[{"code": 131000, "title": "x"}])
    own = status(state, "wamid.TWO", callback, **reason)
    receive(webhook(statuses=(repeated, own)[::order]))
    message = Message.objects.get()
    assert (message.status, message.error_title) == (state, "of the retry" if state == "failed" else "")


def test_a_failure_for_one_member_of_a_group_beside_a_status_does_not_hide_it() -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    callback = str(row.message_id)
    member = status("failed", "wamid.ONE", callback, recipient_participant_id="15551230002")
    receive(webhook(statuses=(member, status("sent", "wamid.ONE", callback))))
    assert states_of(row.message_id) == ["sent"]


def retried(row: Claimed, state: str) -> None:
    """Advance the retry of a pending message to this status."""
    Message.objects.filter(pk=row.message_id).update(due_at=timezone.now())
    for _ in range(state != "pending"):
        (batch,) = release(number().pk)
        assert state == "queued" or claim([batch])
    assert states_of(row.message_id) == [state]


@pytest.mark.parametrize("retry", ["pending", "queued", "sending"])
@pytest.mark.parametrize("late", ["sent", "failed"])
def test_a_late_status_of_the_failed_attempt_leaves_the_retry_alone(late: str, retry: str) -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    retried(row, retry)
    reports(row.message_id, late, "wamid.ONE", errors=[{"code": 131026, "title": "x"}] if late == "failed" else [])
    assert states_of(row.message_id) == [retry]


def test_a_failure_of_an_unknown_attempt_does_not_fail_the_one_being_sent() -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    sent_again(row)
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131026, "title": "x"}])
    assert states_of(row.message_id) == ["sending"]


def test_an_acceptance_during_the_next_attempt_counts() -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    sent_again(row)
    message = answered(row, accepted("wamid.ONE"))
    assert (message.status, message.wamid) == ("accepted", "wamid.ONE")


@pytest.mark.parametrize(
    ("attempts", "then", "exhausted"), [(1, "pending", False), (4, "pending", False), (5, "failed", True)]
)
def test_a_failure_by_webhook_ends_with_the_fifth_attempt(attempts: int, then: str, exhausted: bool) -> None:
    row = claimed()
    Message.objects.update(attempts=attempts - 1)
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    message = Message.objects.get()
    assert (message.attempts, message.status, message.exhausted_at is not None) == (attempts, then, exhausted)


@pytest.mark.parametrize(("attempts", "wait"), [(2, 10), (3, 30), (4, 120)])
def test_a_failure_by_webhook_backs_off_by_the_attempts_before_it(attempts: int, wait: int) -> None:
    row = claimed()
    Message.objects.update(attempts=attempts - 1)
    answered(row, accepted("wamid.ONE"))
    before = timezone.now()
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])  # at least 10 s
    due_at, after = Message.objects.get().due_at, timezone.now()
    assert due_at is not None
    assert before <= due_at - timedelta(seconds=wait) <= after


@pytest.mark.parametrize("before", ["", "sent", "unknown"])
def test_a_failure_by_webhook_counts_an_attempt_that_has_no_answer(before: str) -> None:
    row = claimed()
    if before == "unknown":
        answered(row, NO_ANSWER)
    elif before:
        reports(row.message_id, before, "wamid.ONE")
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    message = Message.objects.get()
    assert (message.status, message.attempts) == ("pending", 1)


def test_an_attempt_whose_statuses_overtake_its_answer_counts_once() -> None:
    row = claimed()
    reports(row.message_id, "sent", "wamid.ONE")
    assert answered(row, accepted("wamid.ONE")).attempts == 1


def test_the_answer_of_a_failed_attempt_is_not_taken_for_that_of_its_retry() -> None:
    row = claimed()
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131000, "title": "x"}])
    second = sent_again(row)
    answered(row, accepted("wamid.ONE"))
    assert answered(second, NotSent()).status == "pending"


@pytest.mark.parametrize(
    ("code", "then", "paused"), [(131000, "pending", False), (131048, "pending", True), (131026, "failed", False)]
)
def test_a_failure_that_overtakes_the_answer_of_a_retry_is_retried_as_any_other(
    code: int, then: str, paused: bool
) -> None:
    row = claimed()
    answered(row, NO_ANSWER)
    second = sent_again(row)
    reports(row.message_id, "failed", "wamid.TWO", errors=[{"code": code, "title": "x"}])
    message = answered(second, accepted("wamid.TWO"))
    assert (message.status, number().paused_at is not None) == (then, paused)


class Killed(BaseException):
    """The end of a process."""


def killed_after(statements: int) -> Callable[..., Any]:
    """A wrapper of statements that lets this many through."""
    left = iter(range(statements))

    def execute(run: Any, *arguments: Any) -> Any:
        if next(left, None) is None:
            raise Killed
        return run(*arguments)

    return execute


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_while_it_records_an_answer_leaves_no_failure_without_its_retry() -> None:
    found = set()
    for statements in range(100):
        row = claimed(peer=f"1555{statements:07d}")
        wamid = f"wamid.{statements}"
        answered(row, NotSent())
        second = sent_again(row)
        reports(row.message_id, "failed", wamid, errors=[{"code": 131000, "title": "x"}])
        try:
            with connection.execute_wrapper(killed_after(statements)):
                record([Outcome(second, accepted(wamid), timezone.now())])
        except Killed:
            found.update(states_of(row.message_id))
        else:
            break
    assert (found, states_of(row.message_id)) == ({"sending"}, ["pending"])


def test_metas_cap_on_marketing_delays_a_message_by_a_day_once() -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131049, "title": "x"}])
    first = Message.objects.get()
    answered(sent_again(row), accepted("wamid.TWO"))
    reports(row.message_id, "failed", "wamid.TWO", errors=[{"code": 131049, "title": "x"}])
    assert first.due_at
    day = first.due_at - timezone.now() > timedelta(hours=23)
    assert (first.status, day, states_of(row.message_id)) == ("pending", True, ["failed"])


def test_a_quality_code_by_webhook_pauses_the_number_and_keeps_the_message() -> None:
    row = claimed()
    answered(row, accepted("wamid.ONE"))
    reports(row.message_id, "failed", "wamid.ONE", errors=[{"code": 131048, "title": "spam"}])
    sender = number()
    assert (states_of(row.message_id), sender.pause_reason) == (["pending"], "131048: spam")


STATUSES = ("sent", "delivered", "read", "failed")
ANSWER = "answer"


def final(steps: list[str]) -> str:
    """The status that one attempt's answer and statuses lead to, in this order."""
    row = claimed(peer=f"1555{Message.objects.count():07d}")
    wamid = f"wamid.{row.message_id}"
    for step in steps:
        if step == ANSWER:
            answered(row, accepted(wamid))
        else:
            reports(row.message_id, step, wamid, errors=[{"code": 131026, "title": "x"}])
    return states_of(row.message_id)[0]


@pytest.mark.slow("tries random orders")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(STATUSES), min_size=1), st.data())
def test_any_order_and_repetition_of_answer_and_statuses_ends_in_the_same_state(
    chosen: set[str], data: st.DataObject
) -> None:
    once = [ANSWER, *sorted(chosen, key=STATUSES.index)]
    again = data.draw(st.lists(st.sampled_from(once), max_size=4))
    assert final(data.draw(st.permutations(once + again))) == final(once)
