"""The monitor process."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from messaging.outgoing.holds.suspensions import pause
from monitoring.alerts.store import open_alerts
from monitoring.dead_letters.redrive_jobs import RedriveRunner
from monitoring.management.commands.monitor import Command
from monitoring.metrics import gauges, samples
from monitoring.models import Alert, Heartbeat, Sample
from monitoring.monitor import Monitor
from tests.messaging.factories import number
from tests.processes import Process
from tests.waiting import eventually, never
from waproject.worker import liveness


@pytest.fixture(autouse=True)
def _expect_no_processes(settings: Any) -> None:
    settings.EXPECTED_PROCESSES = []


@pytest.mark.django_db
def test_a_tick_stores_a_sample_with_the_queue_depth(sqs: Any, settings: Any) -> None:
    sqs.send_message(QueueUrl=settings.SQS_QUEUES["analytics"]["url"], MessageBody="{}")
    Monitor().tick()
    assert Sample.objects.get().values["waproject_queue_messages/analytics/waiting"] == 1


@pytest.mark.django_db
def test_channels_are_notified_of_a_paused_number_and_of_its_resumption(
    sqs: Any, settings: Any, mailoutbox: list[Any]
) -> None:
    from messaging.outgoing.holds.suspensions import resume

    settings.ALERT_EMAIL_TO = ["ops@example.org"]
    row, monitor = number(), Monitor()
    pause([row.pk], reason="by hand", by="ann")
    monitor.tick()
    monitor.tick()
    resume([row.pk])
    monitor.tick()
    monitor.tick()
    name = f"number-paused ({row.phone_number_id})"
    assert [mail.subject for mail in mailoutbox] == [f"[critical] {name}", f"[over] {name}"]


@pytest.mark.django_db
def test_a_dead_letter_raises_an_alert(sqs: Any, settings: Any) -> None:
    sqs.send_message(QueueUrl=settings.SQS_QUEUES["incoming"]["dlq_url"], MessageBody="{}")
    Monitor().tick()
    assert list(Alert.objects.values_list("rule", "key")) == [("dlq-not-empty", "incoming")]


@pytest.mark.django_db
def test_an_outage_of_sqs_ends_no_alert_of_the_queues(sqs: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sqs.send_message(QueueUrl=settings.SQS_QUEUES["incoming"]["dlq_url"], MessageBody="{}")
    monitor = Monitor()
    monitor.tick()
    monkeypatch.setitem(gauges.PARTS, "queues", (lambda: {(gauges.SQS_UP.name,): 0.0}, gauges.PARTS["queues"][1]))
    for _ in range(4):
        monitor.tick()
    assert Alert.objects.get(rule="dlq-not-empty").resolved_at is None


def broken(*_: object) -> Any:
    raise ValueError("broken")


# A function that a tick calls, and the part whose failure is reported.
FAILING = {
    "monitoring.monitor.HourlyCheck.step": "check of the set-up",
    "monitoring.monitor.message_counts.count_new_events": "counts of messages",
    "monitoring.monitor.totals.totals": "totals",
    "monitoring.monitor.samples.store": "sample",
    "monitoring.monitor.samples.downsample": "expiry of samples",
    "monitoring.monitor.redrive_jobs.delete_expired": "expiry of redrive jobs",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("function", "part"), FAILING.items(), ids=FAILING.values())
def test_a_part_of_the_monitor_that_always_fails_stops_no_other_and_is_an_alert(
    function: str, part: str, sqs: Any, settings: Any, *, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.org"]
    sqs.send_message(QueueUrl=settings.SQS_QUEUES["incoming"]["dlq_url"], MessageBody="{}")
    Session.objects.create(session_key="ended", session_data="", expire_date=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(function, broken)
    monitor = Monitor()
    monitor.tick()
    assert [mail.subject for mail in mailoutbox] == ["[warning] dlq-not-empty (incoming)"]
    assert not Session.objects.exists()
    monitor.tick()
    assert monitor._active_alerts["monitor-failing"].keys() == {part}


@pytest.mark.django_db
@pytest.mark.parametrize("part", [name for name in gauges.PARTS if name != "numbers"])
def test_a_reading_that_always_fails_stops_no_alert_of_the_others(
    part: str, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause([number().pk], reason="by hand", by="ann")
    monkeypatch.setitem(gauges.PARTS, part, (broken, gauges.PARTS[part][1]))
    monitor = Monitor()
    monitor.tick()
    assert ("number-paused", number().phone_number_id) in list(open_alerts().values_list("rule", "key"))
    assert monitor._active_alerts["monitor-failing"].keys() == {part}


@pytest.mark.django_db
def test_an_alert_goes_on_while_its_reading_fails(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pause([number().pk], reason="by hand", by="ann")
    monitor = Monitor()
    monitor.tick()
    monkeypatch.setitem(gauges.PARTS, "numbers", (broken, gauges.PARTS["numbers"][1]))
    for _ in range(3):
        monitor.tick()
    assert Alert.objects.get(rule="number-paused").resolved_at is None


@pytest.mark.django_db
def test_a_reading_whose_statement_times_out_stops_no_other(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> gauges.Readings:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        return {}

    monkeypatch.setattr(gauges, "STATEMENT_TIMEOUT_MS", 100)
    monkeypatch.setitem(gauges.PARTS, "messages", (partial(gauges._in_time, slow), gauges.PARTS["messages"][1]))
    monitor = Monitor()
    tick = monitor.tick()
    assert (tick.get(gauges.MONITOR_FAILED.name, "messages"), tick.get(gauges.MONITOR_FAILED.name, "files")) == (1, 0)


@pytest.mark.django_db
def test_a_worker_that_is_killed_again_and_again_in_new_containers_is_an_alert(sqs: Any) -> None:
    monitor, now = Monitor(), timezone.now()
    for seconds in (90, 60, 30):
        samples.store(now - timedelta(seconds=seconds), {(gauges.CRASHES.name, "incoming"): 0.0})
    for n in range(4):
        Heartbeat.objects.create(
            kind="incoming", name=f"incoming@{n}", host=str(n), pid=1,
            started_at=now - timedelta(seconds=400 - 100 * n), seen_at=now - timedelta(seconds=310 - 100 * n),
        )  # fmt: skip
    Heartbeat.objects.filter(name="incoming@3").update(seen_at=now)
    monitor._resume()
    monitor.tick()
    assert list(open_alerts().values_list("rule", "key")) == [("process-crashes", "incoming")]
    assert Heartbeat.objects.get().crashes == 3


@pytest.mark.django_db
def test_processes_that_the_database_did_not_hear_for_a_while_are_not_taken_for_replaced(sqs: Any) -> None:
    monitor = Monitor()
    samples.store(timezone.now() - timedelta(minutes=10), {})
    heartbeat(minutes=9)
    Heartbeat.objects.create(
        kind="incoming", name="incoming@b", host="b", pid=2, started_at=timezone.now(), seen_at=timezone.now()
    )
    monitor._resume()
    monitor.tick()
    assert Heartbeat.objects.count() == 2


def heartbeat(**ago: float) -> Heartbeat:
    """A process with its last heartbeat so long ago."""
    seen = timezone.now() - timedelta(**ago)
    return Heartbeat.objects.create(
        kind="incoming", name="incoming@a", host="a", pid=1, started_at=seen - timedelta(hours=1), seen_at=seen
    )


@pytest.mark.django_db
def test_a_killed_worker_fires_alerts_that_end_when_it_is_back(sqs: Any, settings: Any) -> None:
    settings.EXPECTED_PROCESSES = ["incoming"]
    row, monitor = heartbeat(minutes=1), Monitor()
    for seconds in (90, 60, 30):
        samples.store(timezone.now() - timedelta(seconds=seconds), {})
    monitor._resume()
    monitor.tick()
    assert sorted(open_alerts().values_list("rule", "key")) == [
        ("process-gone", "incoming@a"),
        ("process-missing", "incoming"),
    ]
    Heartbeat.objects.filter(pk=row.pk).update(seen_at=timezone.now())
    monitor.tick()
    monitor.tick()
    assert not open_alerts().exists()


@pytest.mark.django_db
def test_sessions_that_have_expired_are_deleted(sqs: Any) -> None:
    for key, hours in (("ended", -1), ("open", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(hours=hours))
    Monitor().tick()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "open_then"), [(23, ["process-gone"]), (25, [])])
def test_a_killed_process_that_nothing_replaces_has_an_alert_for_a_day(
    sqs: Any, hours: float, open_then: list[str]
) -> None:
    heartbeat(hours=hours)
    monitor = Monitor()
    monitor.tick()
    monitor.tick()
    assert list(open_alerts().values_list("rule", flat=True)) == open_then


@pytest.mark.django_db
def test_a_process_that_ends_or_starts_is_noticed_between_ticks(sqs: Any, settings: Any) -> None:
    settings.EXPECTED_PROCESSES = ["incoming"]
    row, monitor = heartbeat(seconds=0), Monitor()
    monitor.tick()
    assert not monitor._processes_changed()
    Heartbeat.objects.filter(pk=row.pk).update(seen_at=timezone.now() - timedelta(minutes=1))
    assert monitor._processes_changed()


def test_a_monitor_that_hangs_makes_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def step(monitor: Monitor) -> float:
        told.append("step")
        monitor._loop.stop()
        return 0.0

    for method in ("start", "stop"):
        monkeypatch.setattr(RedriveRunner, method, lambda _: None)
    monkeypatch.setattr(Monitor, "stop_on_signals", lambda _: None)
    monkeypatch.setattr(Monitor, "_step", step)
    monkeypatch.setattr(liveness, "_stores", [])
    monkeypatch.setattr(liveness.LivenessReporter, "progress", lambda _: told.append("progress"))
    Command().run()
    assert told == ["progress", "step"]


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.django_db(transaction=True)
def test_a_standby_monitor_takes_over_from_a_killed_one(sqs: Any, settings: Any, tmp_path: Path) -> None:
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@127.0.0.1:{database['PORT']}/{database['NAME']}"
    command, active = ["manage.py", "monitor"], "monitor is active"
    first = Process(command, active, tmp_path / "first.log", DATABASE_URL=url)
    first.wait_ready()
    second = Process(command, "monitor is ready", tmp_path / "second.log", DATABASE_URL=url)
    try:
        second.wait_ready()
        assert never(lambda: active in second.log, 2)
        first.kill()
        taken = Sample.objects.count()
        assert eventually(lambda: active in second.log), second.log
        assert eventually(lambda: Sample.objects.count() > taken), second.log
    finally:
        first.kill()
        second.kill()
