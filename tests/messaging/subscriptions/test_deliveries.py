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
from messaging.subscriptions.changes import (
    SubscriptionInactive,
    change,
    replay,
    replay_failed,
    rotate,
    send_test,
    unsubscribe,
)
from messaging.subscriptions.deliveries import LOG_LENGTH, Waiting, claim_runs, record_runs, select_runs
from messaging.subscriptions.retention import clean_up_deliveries
from tests.messaging.lock_order import holds_while_waiting
from tests.messaging.subscriptions.factories import BROKEN, OK, answered, due_now, subscription, tell, waiting

pytestmark = pytest.mark.django_db


def only(**filters: object) -> Delivery:
    return Delivery.objects.get(**filters)


def test_a_2xx_completes_a_delivery() -> None:
    waiting(subscription())
    tell(OK)
    row = only()
    assert (row.state, row.status_code, row.attempts, row.error) == ("delivered", 204, 1, "")
    assert row.log[0]["status_code"] == 204


def test_a_failed_attempt_is_retried() -> None:
    waiting(subscription())
    tell(BROKEN)
    row = only()
    assert (row.state, row.attempts, row.error, row.lease_until) == ("pending", 1, "Answered 500.", None)
    assert 3 < (row.due_at - timezone.now()).total_seconds() < 7
    assert claim_runs(10) == []


def test_a_delivery_fails_after_a_day() -> None:
    waiting(subscription(), give_up_at=timezone.now())
    tell(BROKEN)
    assert (only().state, only().finished_at is not None) == ("failed", True)


def test_the_log_keeps_the_latest_attempts() -> None:
    (row,) = waiting(subscription(), log=[{"at": "then", "status_code": n} for n in range(LOG_LENGTH)])
    tell(BROKEN)
    row.refresh_from_db()
    assert (len(row.log), row.log[0]["status_code"], row.log[-1]["status_code"]) == (LOG_LENGTH, 1, 500)


def test_a_claimed_delivery_is_not_claimed_again() -> None:
    waiting(subscription(), 5)
    assert (sum(len(run.posts) for run in claim_runs(50)), claim_runs(50)) == (5, [])


def test_a_run_is_leased_for_a_minute() -> None:
    waiting(subscription())
    before = timezone.now()
    (run,) = claim_runs(50)
    assert before <= run.lease_until - timedelta(seconds=60) <= timezone.now()


@pytest.mark.parametrize(("active", "runs"), [(True, 1), (False, 0)])
def test_deliveries_of_an_inactive_client_are_not_claimed(active: bool, runs: int) -> None:
    waiting(subscription(client=ApiClient.objects.create(name="shop")))
    ApiClient.objects.update(active=active)
    assert len(claim_runs(50)) == runs


def test_a_secret_is_32_random_bytes() -> None:
    secrets = [base64.b64decode(subscription().secret.removeprefix("whsec_"), validate=True) for _ in range(2)]
    assert ([len(secret) for secret in secrets], secrets[0] == secrets[1]) == ([32, 32], False)


def test_a_claimed_delivery_is_due_again_when_its_lease_ends() -> None:
    waiting(subscription())
    claim_runs(50)
    Delivery.objects.update(lease_until=timezone.now())
    assert len(claim_runs(50)) == 1


def test_a_result_changes_nothing_after_another_process_took_over_the_lease() -> None:
    waiting(subscription())
    (late,) = claim_runs(50)
    Delivery.objects.update(lease_until=timezone.now())
    (again,) = claim_runs(50)
    record_runs([answered(late, BROKEN)])
    assert only().lease_until == again.lease_until
    record_runs([answered(again, OK), answered(late, BROKEN)])
    assert (only().state, len(only().log)) == ("delivered", 1)


def test_a_delivery_without_an_attempt_stays_due() -> None:
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


def test_one_success_ends_probing() -> None:
    waiting(subscription(), 20)
    Subscription.objects.update(failures=7, failing_since=timezone.now())
    tell(OK)
    one = Subscription.objects.get()
    assert (one.failures, one.failing_since, len(tell(OK))) == (0, None, 19)


def test_only_a_paused_endpoint_gets_no_deliveries() -> None:
    paused, other = subscription(), subscription()
    waiting(paused)
    waiting(other)
    Subscription.objects.filter(pk=paused.pk).update(paused_until=timezone.now() + timedelta(minutes=1))
    assert [run.subscription_id for run in claim_runs(50)] == [other.pk]


def test_retry_after_pauses_the_whole_subscription() -> None:
    one = subscription()
    waiting(one)
    tell(Answer(429, 5, "Answered 429.", 60.0))
    waiting(one)
    assert claim_runs(50) == []


def test_410_disables_a_subscription_with_its_reason() -> None:
    waiting(subscription())
    tell(Answer(410, 5, "Answered 410: the endpoint refuses further deliveries."))
    one = Subscription.objects.get()
    assert (one.active, one.disabled_why, only().state) == (
        False,
        "Answered 410: the endpoint refuses further deliveries.",
        "failed",
    )


def test_a_day_of_failures_disables_a_subscription(caplog: pytest.LogCaptureFixture) -> None:
    waiting(subscription())
    Subscription.objects.update(failures=9, failing_since=timezone.now() - timedelta(hours=24))
    tell(BROKEN)
    one = Subscription.objects.get()
    assert (one.active, one.disabled_at is not None, "Answered 500." in one.disabled_why) == (False, True, True)
    assert f"subscription {one.pk} disabled" in caplog.text


def test_pending_deliveries_of_an_inactive_subscription_fail() -> None:
    one = subscription()
    waiting(one)
    change(one, "tests", active=False)
    clean_up_deliveries()
    assert (only().state, only().error) == ("failed", "The subscription is inactive.")


def test_activation_resets_the_failures() -> None:
    one = subscription()
    Subscription.objects.update(active=False, failures=9, disabled_at=timezone.now(), disabled_why="why")
    one.refresh_from_db()
    change(one, "tests", active=True)
    assert Subscription.objects.filter(active=True, failures=0, disabled_at=None, disabled_why="").exists()


def test_a_failed_delivery_is_replayed_under_its_id_and_keeps_its_log() -> None:
    (row,) = waiting(subscription(), give_up_at=timezone.now())
    tell(BROKEN)
    assert replay(only(), "tests")
    tell(OK)
    row.refresh_from_db()
    assert (row.state, row.attempts, [line["status_code"] for line in row.log]) == ("delivered", 1, [500, 204])


def test_a_pending_delivery_is_not_replayed() -> None:
    (row,) = waiting(subscription())
    assert not replay(row, "tests")


def test_all_deliveries_that_failed_since_a_time_are_replayed() -> None:
    one, now = subscription(), timezone.now()
    over = {"state": "failed", "finished_at": now}
    waiting(one, 3, **over)
    waiting(one, 1, **over, created_at=now - timedelta(days=2))
    waiting(one, 1, state="delivered", finished_at=now)
    assert replay_failed(one, now - timedelta(days=1), "tests") == 3
    assert len(tell()) == 3


def test_nothing_is_replayed_to_an_inactive_subscription() -> None:
    one = subscription(active=False)
    (row,) = waiting(one, state="failed", finished_at=timezone.now())
    with pytest.raises(SubscriptionInactive):
        replay(row, "tests")
    with pytest.raises(SubscriptionInactive):
        replay_failed(one, timezone.now(), "tests")


def test_a_test_event_holds_only_its_subscription() -> None:
    one = subscription(events=["account.event"])
    send_test(one, "tests")
    (body,) = tell()
    assert (body["type"], body["data"]) == ("subscription.test", {"subscription": str(one.pk)})


def test_after_a_rotation_both_secrets_sign_for_a_day() -> None:
    one = subscription()
    old = one.secret
    rotate(one, "tests")
    waiting(one)
    assert claim_runs(50)[0].secrets == (one.secret, old)
    Subscription.objects.update(previous_secret_until=timezone.now())
    waiting(one, lane=5)
    assert claim_runs(50)[0].secrets == (one.secret,)


def test_a_delivery_of_a_deleted_row_fails() -> None:
    waiting(subscription(), event="message.received", message_id=uuid4())
    assert claim_runs(50) == []
    assert (only().state, only().error) == ("failed", "The event's data is no longer stored.")


@pytest.mark.parametrize(("state", "days", "left"), [("delivered", 8, 0), ("delivered", 6, 1), ("failed", 29, 1)])
def test_old_deliveries_are_deleted(state: str, days: int, left: int) -> None:
    waiting(subscription(), state=state, finished_at=timezone.now() - timedelta(days=days))
    clean_up_deliveries()
    assert Delivery.objects.count() == left


def test_a_deleted_subscription_is_removed_with_its_deliveries() -> None:
    one = subscription()
    waiting(one, 3)
    unsubscribe(one, "tests")
    Subscription.objects.update(deleted_at=timezone.now() - timedelta(minutes=10))
    clean_up_deliveries()
    assert (Delivery.objects.count(), Subscription.objects.count()) == (0, 0)


def rows(*lanes: tuple[UUID, int]) -> list[Waiting]:
    return [Waiting(UUID(int=n), subscription_id, lane) for n, (subscription_id, lane) in enumerate(lanes)]


def test_every_subscription_gets_one_of_few_threads() -> None:
    busy, quiet = uuid4(), uuid4()
    runs = select_runs(rows(*[(busy, n) for n in range(8)], (quiet, 0)), set(), 2)
    assert runs == [[UUID(int=0)], [UUID(int=8)]]


def test_further_lanes_leave_reserved_threads_free() -> None:
    due = rows(*[(UUID(int=1000 + n), lane) for n in range(9) for lane in range(8)])
    assert len(select_runs(due, set(), 48)) == 24
    assert len(select_runs(due, set(), 12)) == 9


def test_a_busy_subscription_gets_no_reserved_thread() -> None:
    one = uuid4()
    due = [Waiting(row.id, row.subscription_id, row.lane, busy=True) for row in rows((one, 1), (one, 2))]
    assert (len(select_runs(due, set(), 24)), len(select_runs(due, set(), 25)), len(select_runs(due, set(), 48))) == (
        0,
        1,
        2,
    )


def test_a_run_holds_a_lane_in_its_order() -> None:
    one = uuid4()
    assert select_runs(rows((one, 1), (one, 2), (one, 1)), set(), 48) == [[UUID(int=0), UUID(int=2)], [UUID(int=1)]]


def test_a_probed_subscription_gets_its_oldest_delivery() -> None:
    one = uuid4()
    assert select_runs(rows((one, 4), (one, 2), (one, 4)), {one}, 9) == [[UUID(int=0)]]


def test_a_failed_delivery_is_claimed_again_when_it_is_due() -> None:
    (row,) = waiting(subscription())
    tell(BROKEN)
    due_now(row)
    tell(OK)
    assert only().attempts == 2


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_claim_the_same_delivery() -> None:
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
def test_subscriptions_are_locked_in_id_order() -> None:
    first, second = sorted([subscription(), subscription()], key=lambda one: one.pk)
    for one in (first, second):
        waiting(one)
    runs = sorted(claim_runs(50), key=lambda run: run.subscription_id, reverse=True)
    rans = [answered(run, BROKEN) for run in runs]
    assert not holds_while_waiting(lambda: record_runs(rans), first, second)
