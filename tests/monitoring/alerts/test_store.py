"""Alerts in the database and their notices, with given times."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from django.db import transaction
from django.utils import timezone

from monitoring.alerts.rules import RULES
from monitoring.alerts.state import ActiveAlert, Reading, Rule, Severity
from monitoring.alerts.store import (
    ActiveAlerts,
    acknowledge,
    evaluate,
    load_active_alerts,
    open_alerts,
    with_silences,
)
from monitoring.metrics.samples import Snapshot
from monitoring.metrics.window import Window
from monitoring.models import Alert, Notice, Silence
from tests.messaging.factories import number
from tests.messaging.lock_order import in_own_connection, is_waited_for
from tests.monitoring.snapshots import at
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
RULE = Rule(
    "lane-waiting",
    Severity.WARNING,
    Reading(lambda window: {"incoming": window.value("waiting") or 0.0}),
    fires_at=10,
    clears_at=5,
    for_s=60,
    summary="{value:.0f} wait on {key}.",
    action="",
)
CHANNELS = ["email", "webhook"]


def run(
    values: Sequence[float], active: ActiveAlerts | None = None, start: float = 0, rule: Rule = RULE
) -> ActiveAlerts:
    """One tick per value, every 30 s."""
    active = {} if active is None else active
    for n, value in enumerate(values):
        window = Window((Snapshot(at(start + n * 30), {("waiting",): value}),))
        active = evaluate(active, window, CHANNELS, [rule])
    return active


def notices() -> list[tuple[str, str]]:
    return sorted(Notice.objects.values_list("channel", "event"))


def test_an_alert_fires_once_however_long_it_lasts() -> None:
    run([12] * 10)
    assert list(Alert.objects.values_list("rule", "key", "severity", "value", "summary", "since", "fired_at")) == [
        ("lane-waiting", "incoming", "warning", 12, "12 wait on incoming.", at(0), at(60))
    ]


def test_an_alert_ends_once() -> None:
    run([12] * 3 + [0] * 10)
    assert [alert.resolved_at for alert in Alert.objects.all()] == [at(150)]


def test_each_channel_is_notified_once_of_each_event() -> None:
    run([12] * 6 + [0] * 6)
    assert notices() == [("email", "fired"), ("email", "resolved"), ("webhook", "fired"), ("webhook", "resolved")]


@pytest.mark.django_db(transaction=True)
def test_two_monitors_at_once_notify_each_channel_once() -> None:
    window = [Window((Snapshot(at(tick * 30), {("waiting",): 12}),)) for tick in range(4)]
    active: ActiveAlerts = {}
    for earlier in window[:3]:
        active = evaluate(active, earlier, [], [RULE])
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Notice.objects.create(alert=Alert.objects.get(), channel="email", event="fired")
        ended = other.submit(in_own_connection, lambda: evaluate(active, window[3], CHANNELS, [RULE]))
        waits = eventually(is_waited_for, every=0.01)
    ended.result()
    assert (waits, notices()) == (True, [("email", "fired"), ("webhook", "fired")])


def test_a_swinging_reading_is_notified_once() -> None:
    run([12, 12, 12, 9, 12, 9, 6, 12, 4, 6, 12])
    assert notices() == [("email", "fired"), ("webhook", "fired")]


def test_an_alert_that_comes_back_fires_again() -> None:
    run([12] * 3 + [0] * 3 + [12] * 3)
    assert Alert.objects.count() == 2 and open_alerts().count() == 1
    assert len(notices()) == 6
    run([0] * 3, load_active_alerts(), start=270)
    assert len(notices()) == 8


def test_a_restarted_monitor_fires_no_alert_twice() -> None:
    run([12] * 3)
    run([12] * 3, load_active_alerts(), start=90)
    assert Alert.objects.count() == 1 and notices() == [("email", "fired"), ("webhook", "fired")]


def test_a_restarted_monitor_knows_the_open_alerts() -> None:
    run([12] * 3 + [0] * 3 + [12] * 3 + [7])
    assert load_active_alerts() == {"lane-waiting": {"incoming": ActiveAlert(7, at(180), firing=True)}}


def test_the_open_alerts_are_those_of_all_rules_the_critical_and_the_latest_first() -> None:
    for n, (rule, severity) in enumerate([("a", "critical"), ("b", "warning"), ("c", "critical"), ("d", "warning")]):
        Alert.objects.create(rule=rule, severity=severity, value=1, since=at(n), fired_at=at(n))
    assert [alert.rule for alert in open_alerts()] == ["c", "a", "d", "b"]


def test_an_alert_does_not_end_with_the_evaluation_of_another_rule() -> None:
    rules = [replace(RULE, name=name, for_s=0) for name in ("lane-age", "lane-waiting")]
    active: ActiveAlerts = {}
    for seconds in (0, 30):
        active = evaluate(active, Window((Snapshot(at(seconds), {("waiting",): 12}),)), CHANNELS, rules)
    assert sorted(alert.rule for alert in open_alerts()) == ["lane-age", "lane-waiting"]


@pytest.mark.parametrize(("rules", "ended"), [(RULES, [at(0), at(30)]), ([RULE], [at(0), None])], ids=["all", "some"])
def test_alerts_of_a_rule_that_is_gone_end_once_all_rules_are_evaluated(
    rules: Sequence[Rule], ended: list[object]
) -> None:
    for resolved_at in (at(0), None):
        Alert.objects.create(rule="gone", value=1, since=at(0), fired_at=at(0), resolved_at=resolved_at)
    Alert.objects.create(rule="sqs-away", value=1, since=at(0), fired_at=at(0))
    active = {"sqs-away": {"": ActiveAlert(1, at(0), firing=True)}}
    evaluate(active, Window((Snapshot(at(30), {}),)), CHANNELS, rules)
    assert [alert.resolved_at for alert in Alert.objects.filter(rule="gone").order_by("pk")] == ended
    assert Alert.objects.get(rule="sqs-away").resolved_at is None


def test_a_restarted_monitor_keeps_an_alert_that_is_between_its_thresholds() -> None:
    run([12] * 3)
    run([7] * 3, load_active_alerts(), start=90)
    assert open_alerts().count() == 1


def test_a_restarted_monitor_resolves_alerts_that_ended() -> None:
    run([12] * 3)
    run([0] * 3, load_active_alerts(), start=90)
    assert not open_alerts().exists()


def test_an_open_alert_and_a_silence_follow_a_rule_to_its_new_name() -> None:
    run([12] * 3)
    Silence.objects.create(rule=RULE.name, until=at(3600), by="ann")
    renamed = replace(RULE, name="queue-long", former_name=RULE.name)
    run([12] * 3, load_active_alerts([renamed]), start=90, rule=renamed)
    assert [(alert.rule, alert.resolved_at) for alert in Alert.objects.all()] == [("queue-long", None)]
    assert Silence.objects.get().rule == "queue-long"


def test_no_other_alert_or_silence_follows_a_renamed_rule() -> None:
    run([12] * 3 + [0] * 3)
    Alert.objects.create(rule="lane-age", value=1, since=at(0), fired_at=at(0))
    Silence.objects.create(rule="lane-age", until=at(3600), by="ann")
    load_active_alerts([replace(RULE, name="queue-long", former_name=RULE.name)])
    assert sorted(alert.rule for alert in Alert.objects.all()) == ["lane-age", "lane-waiting"]
    assert Silence.objects.get().rule == "lane-age"


@pytest.mark.parametrize(("latest", "shown"), [(50, 50), (10, 10), (9, 12)])
def test_the_summary_of_an_open_alert_has_its_latest_reading_over_the_threshold(latest: float, shown: int) -> None:
    run([12, 12, 12, latest])
    alert = Alert.objects.get()
    assert (alert.summary, alert.value) == (f"{shown} wait on incoming.", latest)


def test_a_silenced_alert_is_shown_but_not_notified() -> None:
    Silence.objects.create(rule=RULE.name, until=at(3600), by="ann")
    run([12] * 3)
    assert [alert.silenced for alert in with_silences(open_alerts(), at(90))] == [True]  # type: ignore[attr-defined]
    assert notices() == []


def test_an_alert_that_outlasts_its_silence_is_notified() -> None:
    Silence.objects.create(rule=RULE.name, until=at(100), by="ann")
    run([12] * 6)
    assert notices() == [("email", "fired"), ("webhook", "fired")]


def test_the_end_of_a_silenced_alert_is_not_notified() -> None:
    Silence.objects.create(rule=RULE.name, key="incoming", until=at(3600), by="ann")
    run([12] * 3 + [0] * 4)
    assert notices() == [] and not open_alerts().exists()


def test_an_alert_that_was_silenced_to_its_end_is_not_notified_afterwards() -> None:
    Silence.objects.create(rule=RULE.name, until=at(170), by="ann")
    run([12] * 3 + [0] * 6)
    assert notices() == [] and not open_alerts().exists()


@pytest.mark.parametrize(("rule", "key"), [("lane-waiting", "outgoing"), ("lane-age", ""), ("lane-age", "incoming")])
def test_a_silence_of_another_key_or_rule_has_no_effect(rule: str, key: str) -> None:
    Silence.objects.create(rule=rule, key=key, until=at(3600), by="ann")
    run([12] * 3)
    assert len(notices()) == 2


@pytest.mark.parametrize(("minutes", "silenced"), [(1, True), (-1, False)])
def test_an_alert_is_shown_as_silenced_until_its_silence_ends(minutes: int, silenced: bool) -> None:
    Silence.objects.create(rule=RULE.name, until=timezone.now() + timedelta(minutes=minutes), by="ann")
    run([12] * 3)
    assert with_silences(open_alerts()).get().silenced is silenced  # type: ignore[attr-defined]


@pytest.mark.parametrize(("hours", "notified"), [(23, True), (25, False)])
def test_the_end_of_an_alert_is_notified_within_a_day(hours: int, notified: bool) -> None:
    now = at(30 * 86400)
    alert = Alert.objects.create(rule="lane-age", value=1, since=at(0), fired_at=at(0))
    Alert.objects.update(resolved_at=now - timedelta(hours=hours))
    Notice.objects.create(alert=alert, channel="email", event="fired")
    evaluate({}, Window((Snapshot(now, {}),)), ["email"], [RULE])
    assert (("email", "resolved") in notices()) is notified


def test_a_notice_is_due_at_once() -> None:
    run([12] * 3 + [0] * 3)
    assert sorted(Notice.objects.filter(channel="email").values_list("event", "next_try_at")) == [
        ("fired", at(60)),
        ("resolved", at(150)),
    ]


def test_the_summary_of_an_alert_ends_with_its_recorded_reason() -> None:
    row = number(paused_at=at(0), pause_reason="131048: spam rate")
    reading = Reading(lambda window: {row.phone_number_id: window.value("waiting") or 0.0})
    run([12] * 3 + [13], rule=replace(RULE, name="number-paused", reading=reading))
    assert Alert.objects.get().summary == f"13 wait on {row.phone_number_id}. Reason: 131048: spam rate."


def test_an_alert_whose_reason_cannot_be_read_fires_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise ValueError("no reason")

    monkeypatch.setattr("monitoring.alerts.store.reason_of", broken)
    run([12] * 3)
    assert Alert.objects.get().summary == "12 wait on incoming."


def test_an_alert_on_a_long_name_fires_and_ends_once_and_beside_others_of_the_same_beginning() -> None:
    names = [f"{'spring ' * 30}{year}" for year in (2026, 2027)]
    rule = replace(RULE, reading=Reading(lambda window: dict.fromkeys(names, window.value("waiting") or 0.0)))
    active = run([12] * 6, rule=rule)
    assert open_alerts().count() == 2
    run([12] * 2, load_active_alerts(), start=180, rule=rule)
    assert Alert.objects.count() == 2
    run([0] * 4, active, start=240, rule=rule)
    assert Counter(notices()) == dict.fromkeys(product(CHANNELS, ("fired", "resolved")), 2)


def test_a_rule_that_cannot_be_evaluated_keeps_no_other_from_firing() -> None:
    def broken(window: Window) -> dict[str, float]:
        raise KeyError

    rules = [replace(RULE, name="broken", reading=Reading(broken)), replace(RULE, for_s=0)]
    open_before = {"broken": {"incoming": ActiveAlert(1, at(0), firing=True)}}
    active = evaluate(open_before, Window((Snapshot(at(0), {("waiting",): 12}),)), CHANNELS, rules)
    assert [alert.rule for alert in open_alerts()] == [RULE.name]
    assert active["broken"] == open_before["broken"]


def test_an_alert_whose_reason_the_database_refuses_fires_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> str:
        Alert.objects.extra(where=["no_such_column"]).exists()
        return ""

    monkeypatch.setattr("monitoring.alerts.store.reason_of", refused)
    run([12] * 3)
    assert Alert.objects.get().summary == "12 wait on incoming."


def test_the_first_acknowledgement_counts() -> None:
    run([12] * 3)
    assert [acknowledge(open_alerts(), who) for who in ("ann", "bob")] == [1, 0]
    assert Alert.objects.get().acknowledged_by == "ann"


def test_an_alert_that_is_over_is_not_acknowledged() -> None:
    run([12] * 3 + [0] * 3)
    assert acknowledge(Alert.objects.all(), "ann") == 0


def test_an_alert_ends_at_once_if_its_rule_says_so() -> None:
    rule = replace(RULE, for_s=0, clears_after_s=0)
    run([12, 0], rule=rule)
    alert = Alert.objects.get()
    assert alert.resolved_at == alert.fired_at + timedelta(seconds=30)
