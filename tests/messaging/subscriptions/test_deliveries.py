"""Claiming, recording, giving up and clearing away."""

import base64
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from messaging.models import ApiClient, Delivery, Subscription
from messaging.subscriber_http.post import Answer
from messaging.subscriptions.deliveries import LOG_LENGTH, Waiting, claim_runs, record_runs, share
from messaging.subscriptions.manage import (
    SwitchedOff,
    change,
    replay,
    replay_failed,
    rotate,
    send_test,
    unsubscribe,
)
from messaging.subscriptions.retention import tidy_deliveries
from tests.messaging.lock_order import holds_while_waiting
from tests.messaging.subscriptions.cast import BROKEN, OK, answered, due_now, subscription, tell, waiting

pytestmark = pytest.mark.django_db


def only(**filters: object) -> Delivery:
    return Delivery.objects.get(**filters)


def test_a_delivery_that_is_taken_is_done() -> None:
    waiting(subscription())
    tell(OK)
    row = only()
    assert (row.state, row.status_code, row.attempts, row.error) == ("delivered", 204, 1, "")
    assert row.log[0]["status_code"] == 204


def test_a_delivery_that_fails_is_tried_again_later() -> None:
    waiting(subscription())
    tell(BROKEN)
    row = only()
    assert (row.state, row.attempts, row.error, row.lease_until) == ("pending", 1, "Answered 500.", None)
    assert 3 < (row.due_at - timezone.now()).total_seconds() < 7
    assert claim_runs(10) == []


def test_after_a_day_a_delivery_is_given_up() -> None:
    waiting(subscription(), give_up_at=timezone.now())
    tell(BROKEN)
    assert (only().state, only().finished_at is not None) == ("failed", True)


def test_the_log_keeps_the_latest_tries() -> None:
    (row,) = waiting(subscription(), log=[{"at": "then", "status_code": n} for n in range(LOG_LENGTH)])
    tell(BROKEN)
    row.refresh_from_db()
    assert (len(row.log), row.log[0]["status_code"], row.log[-1]["status_code"]) == (LOG_LENGTH, 1, 500)


def test_what_is_claimed_is_claimed_once() -> None:
    waiting(subscription(), 5)
    assert (sum(len(run.posts) for run in claim_runs(50)), claim_runs(50)) == (5, [])


def test_a_run_is_leased_for_a_minute() -> None:
    waiting(subscription())
    before = timezone.now()
    (run,) = claim_runs(50)
    assert before <= run.lease_until - timedelta(seconds=60) <= timezone.now()


@pytest.mark.parametrize(("active", "runs"), [(True, 1), (False, 0)])
def test_what_waits_for_a_client_is_claimed_while_the_client_is_active(active: bool, runs: int) -> None:
    waiting(subscription(client=ApiClient.objects.create(name="shop")))
    ApiClient.objects.update(active=active)
    assert len(claim_runs(50)) == runs


def test_a_secret_is_32_random_bytes() -> None:
    secrets = [base64.b64decode(subscription().secret.removeprefix("whsec_"), validate=True) for _ in range(2)]
    assert ([len(secret) for secret in secrets], secrets[0] == secrets[1]) == ([32, 32], False)


def test_what_a_killed_process_had_claimed_is_due_again_when_its_lease_ends() -> None:
    waiting(subscription())
    claim_runs(50)
    Delivery.objects.update(lease_until=timezone.now())
    assert len(claim_runs(50)) == 1


def test_an_outcome_that_comes_after_the_lease_was_taken_over_changes_nothing() -> None:
    waiting(subscription())
    (late,) = claim_runs(50)
    Delivery.objects.update(lease_until=timezone.now())
    (again,) = claim_runs(50)
    record_runs([answered(late, BROKEN)])
    assert only().lease_until == again.lease_until
    record_runs([answered(again, OK), answered(late, BROKEN)])
    assert (only().state, len(only().log)) == ("delivered", 1)


def test_what_a_run_did_not_come_to_keeps_its_turn() -> None:
    first, second = waiting(subscription(), 2, lane=3)
    (run,) = claim_runs(50)
    assert [post.id for post in run.posts] == [first.pk, second.pk]
    record_runs([answered(run, BROKEN)])
    second.refresh_from_db()
    assert (second.attempts, second.log, second.lease_until) == (0, [], None)


def test_a_lane_has_one_run_at_a_time() -> None:
    one = subscription()
    waiting(one, lane=3)
    claim_runs(50)
    waiting(one, lane=3)
    (other,) = waiting(one, lane=4)
    assert [post.id for run in claim_runs(50) for post in run.posts] == [other.pk]


def test_an_endpoint_that_fails_in_a_row_gets_one_delivery_at_a_time() -> None:
    one = subscription()
    waiting(one, 20)
    Subscription.objects.update(failures=7)
    assert sum(len(run.posts) for run in claim_runs(50)) == 1
    assert claim_runs(50) == []


def test_one_success_ends_the_probing() -> None:
    waiting(subscription(), 20)
    Subscription.objects.update(failures=7, failing_since=timezone.now())
    tell(OK)
    one = Subscription.objects.get()
    assert (one.failures, one.failing_since, len(tell(OK))) == (0, None, 19)


def test_an_endpoint_that_is_paused_gets_nothing_and_others_do() -> None:
    paused, other = subscription(), subscription()
    waiting(paused)
    waiting(other)
    Subscription.objects.filter(pk=paused.pk).update(paused_until=timezone.now() + timedelta(minutes=1))
    assert [run.subscription_id for run in claim_runs(50)] == [other.pk]


def test_retry_after_holds_all_of_the_subscription() -> None:
    one = subscription()
    waiting(one)
    tell(Answer(429, 5, "Answered 429.", 60.0))
    waiting(one)
    assert claim_runs(50) == []


def test_410_switches_off_at_once_and_says_why() -> None:
    waiting(subscription())
    tell(Answer(410, 5, "Answered 410: it wants no more deliveries."))
    one = Subscription.objects.get()
    assert (one.active, one.disabled_why, only().state) == (
        False,
        "Answered 410: it wants no more deliveries.",
        "failed",
    )


def test_a_day_of_failures_switches_off(caplog: pytest.LogCaptureFixture) -> None:
    waiting(subscription())
    Subscription.objects.update(failures=9, failing_since=timezone.now() - timedelta(hours=24))
    tell(BROKEN)
    one = Subscription.objects.get()
    assert (one.active, one.disabled_at is not None, "Answered 500." in one.disabled_why) == (False, True, True)
    assert f"subscription {one.pk} was switched off" in caplog.text


def test_what_waits_for_a_subscription_that_is_off_is_given_up() -> None:
    one = subscription()
    waiting(one)
    change(one, "tests", active=False)
    tidy_deliveries()
    assert (only().state, only().error) == ("failed", "The subscription was switched off.")


def test_switching_on_again_forgets_the_failures() -> None:
    one = subscription()
    Subscription.objects.update(active=False, failures=9, disabled_at=timezone.now(), disabled_why="why")
    one.refresh_from_db()
    change(one, "tests", active=True)
    assert Subscription.objects.filter(active=True, failures=0, disabled_at=None, disabled_why="").exists()


def test_what_failed_can_be_replayed_under_its_id_and_keeps_its_log() -> None:
    (row,) = waiting(subscription(), give_up_at=timezone.now())
    tell(BROKEN)
    assert replay(only(), "tests")
    tell(OK)
    row.refresh_from_db()
    assert (row.state, row.attempts, [line["status_code"] for line in row.log]) == ("delivered", 1, [500, 204])


def test_what_is_on_its_way_is_not_replayed() -> None:
    (row,) = waiting(subscription())
    assert not replay(row, "tests")


def test_all_that_failed_since_a_time_is_replayed() -> None:
    one, now = subscription(), timezone.now()
    over = {"state": "failed", "finished_at": now}
    waiting(one, 3, **over)
    waiting(one, 1, **over, created_at=now - timedelta(days=2))
    waiting(one, 1, state="delivered", finished_at=now)
    assert replay_failed(one, now - timedelta(days=1), "tests") == 3
    assert len(tell()) == 3


def test_nothing_is_replayed_to_what_is_off() -> None:
    one = subscription(active=False)
    (row,) = waiting(one, state="failed", finished_at=timezone.now())
    with pytest.raises(SwitchedOff):
        replay(row, "tests")
    with pytest.raises(SwitchedOff):
        replay_failed(one, timezone.now(), "tests")


def test_a_test_tells_nothing_but_itself() -> None:
    one = subscription(events=["account.event"])
    send_test(one, "tests")
    (body,) = tell()
    assert (body["type"], body["data"]) == ("subscription.test", {"subscription": str(one.pk)})


def test_after_a_rotation_both_secrets_sign_and_a_day_later_the_new_one() -> None:
    one = subscription()
    old = one.secret
    rotate(one, "tests")
    waiting(one)
    assert claim_runs(50)[0].secrets == (one.secret, old)
    Subscription.objects.update(previous_secret_until=timezone.now())
    waiting(one, lane=5)
    assert claim_runs(50)[0].secrets == (one.secret,)


def test_what_tells_of_a_row_that_is_gone_is_given_up() -> None:
    waiting(subscription(), event="message.received", message_id=uuid4())
    assert claim_runs(50) == []
    assert (only().state, only().error) == ("failed", "What it tells is not stored any more.")


@pytest.mark.parametrize(("state", "days", "left"), [("delivered", 8, 0), ("delivered", 6, 1), ("failed", 29, 1)])
def test_old_deliveries_are_cleared_away(state: str, days: int, left: int) -> None:
    waiting(subscription(), state=state, finished_at=timezone.now() - timedelta(days=days))
    tidy_deliveries()
    assert Delivery.objects.count() == left


def test_a_deleted_subscription_goes_with_its_deliveries() -> None:
    one = subscription()
    waiting(one, 3)
    unsubscribe(one, "tests")
    Subscription.objects.update(deleted_at=timezone.now() - timedelta(minutes=10))
    tidy_deliveries()
    assert (Delivery.objects.count(), Subscription.objects.count()) == (0, 0)


def rows(*lanes: tuple[UUID, int]) -> list[Waiting]:
    return [Waiting(UUID(int=n), subscription_id, lane) for n, (subscription_id, lane) in enumerate(lanes)]


def test_few_threads_are_shared_between_subscriptions() -> None:
    busy, quiet = uuid4(), uuid4()
    runs = share(rows(*[(busy, n) for n in range(8)], (quiet, 0)), set(), 2)
    assert runs == [[UUID(int=0)], [UUID(int=8)]]


def test_further_lanes_leave_threads_for_those_that_have_none() -> None:
    due = rows(*[(UUID(int=1000 + n), lane) for n in range(9) for lane in range(8)])
    assert len(share(due, set(), 48)) == 24
    assert len(share(due, set(), 12)) == 9


def test_one_that_has_a_thread_is_no_first() -> None:
    one = uuid4()
    due = [Waiting(row.id, row.subscription_id, row.lane, busy=True) for row in rows((one, 1), (one, 2))]
    assert (len(share(due, set(), 24)), len(share(due, set(), 25)), len(share(due, set(), 48))) == (0, 1, 2)


def test_a_run_holds_a_lane_in_its_order() -> None:
    one = uuid4()
    assert share(rows((one, 1), (one, 2), (one, 1)), set(), 48) == [[UUID(int=0), UUID(int=2)], [UUID(int=1)]]


def test_a_probed_subscription_gets_its_oldest_delivery() -> None:
    one = uuid4()
    assert share(rows((one, 4), (one, 2), (one, 4)), {one}, 9) == [[UUID(int=0)]]


def test_a_failed_delivery_is_claimed_again_when_it_is_due() -> None:
    (row,) = waiting(subscription())
    tell(BROKEN)
    due_now(row)
    tell(OK)
    assert only().attempts == 2


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_claim_the_same() -> None:
    for _ in range(4):
        waiting(subscription(), 40)
    claimed: list[UUID] = []

    def claim() -> None:
        for _ in range(10):
            claimed.extend(post.id for run in claim_runs(50) for post in run.posts)
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 160


def test_the_subscription_keeps_the_last_error_and_its_time() -> None:
    one = subscription()
    waiting(one)
    tell(BROKEN)
    one.refresh_from_db()
    assert (one.last_error, one.last_error_at is not None) == ("Answered 500.", True)


@pytest.mark.django_db(transaction=True)
def test_subscriptions_are_locked_in_id_order_whichever_run_ended_first() -> None:
    first, second = sorted([subscription(), subscription()], key=lambda one: one.pk)
    for one in (first, second):
        waiting(one)
    runs = sorted(claim_runs(50), key=lambda run: run.subscription_id, reverse=True)
    rans = [answered(run, BROKEN) for run in runs]
    assert not holds_while_waiting(lambda: record_runs(rans), first, second)
