"""Alerts in the database and their notices, with given times."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

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
from tests.monitoring.snapshots import at

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
    assert list(Alert.objects.values_list("rule", "key", "since", "fired_at")) == [
        ("lane-waiting", "incoming", at(0), at(60))
    ]


def test_an_alert_ends_once() -> None:
    run([12] * 3 + [0] * 10)
    assert [alert.resolved_at for alert in Alert.objects.all()] == [at(150)]


def test_each_channel_is_notified_once_of_each_event() -> None:
    run([12] * 6 + [0] * 6)
    assert notices() == [("email", "fired"), ("email", "resolved"), ("webhook", "fired"), ("webhook", "resolved")]


def test_a_swinging_reading_is_notified_once() -> None:
    run([12, 12, 12, 9, 12, 9, 6, 12, 4, 6, 12])
    assert notices() == [("email", "fired"), ("webhook", "fired")]


def test_an_alert_that_comes_back_fires_again() -> None:
    run([12] * 3 + [0] * 3 + [12] * 3)
    assert Alert.objects.count() == 2 and open_alerts().count() == 1


def test_a_restarted_monitor_fires_no_alert_twice() -> None:
    run([12] * 3)
    run([12] * 3, load_active_alerts(), start=90)
    assert Alert.objects.count() == 1 and notices() == [("email", "fired"), ("webhook", "fired")]


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


@pytest.mark.parametrize(("latest", "shown"), [(50, 50), (10, 10), (9, 12)])
def test_the_summary_of_an_open_alert_has_its_latest_reading_over_the_threshold(latest: float, shown: int) -> None:
    run([12, 12, 12, latest])
    assert Alert.objects.get().summary == f"{shown} wait on incoming."


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


def test_a_silence_of_another_key_has_no_effect() -> None:
    Silence.objects.create(rule=RULE.name, key="outgoing", until=at(3600), by="ann")
    run([12] * 3)
    assert len(notices()) == 2


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


def test_an_alert_ends_at_once_if_its_rule_says_so() -> None:
    rule = replace(RULE, for_s=0, clears_after_s=0)
    run([12, 0], rule=rule)
    alert = Alert.objects.get()
    assert alert.resolved_at == alert.fired_at + timedelta(seconds=30)
