"""Alerts in the database and their notices, with a clock of our own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.alerts.state import Rule, Severity
from monitoring.alerts.store import (
    Standings,
    acknowledge,
    evaluate,
    open_alerts,
    standings_of_open_alerts,
    with_silences,
)
from monitoring.metrics.samples import Moment
from monitoring.metrics.window import Window
from monitoring.models import Alert, Notice, Silence
from tests.monitoring.moments import at

pytestmark = pytest.mark.django_db
RULE = Rule(
    "lane-waiting",
    Severity.WARNING,
    lambda window: {"incoming": window.value("waiting") or 0.0},
    fires_at=10,
    clears_at=5,
    for_s=60,
    summary="{value:.0f} wait on {key}.",
    action="",
)
CHANNELS = ["email", "webhook"]


def go(values: Sequence[float], standings: Standings | None = None, start: float = 0, rule: Rule = RULE) -> Standings:
    """A tick every 30 s for each value."""
    standings = {} if standings is None else standings
    for n, value in enumerate(values):
        window = Window((Moment(at(start + n * 30), {("waiting",): value}),))
        standings = evaluate(standings, window, CHANNELS, [rule])
    return standings


def told() -> list[tuple[str, str]]:
    return sorted(Notice.objects.values_list("channel", "event"))


def test_an_alert_fires_once_however_long_it_lasts() -> None:
    go([12] * 10)
    assert list(Alert.objects.values_list("rule", "key", "since", "fired_at")) == [
        ("lane-waiting", "incoming", at(0), at(60))
    ]


def test_it_is_over_once() -> None:
    go([12] * 3 + [0] * 10)
    assert [alert.resolved_at for alert in Alert.objects.all()] == [at(150)]


def test_each_channel_is_told_once_of_each() -> None:
    go([12] * 6 + [0] * 6)
    assert told() == [("email", "fired"), ("email", "resolved"), ("webhook", "fired"), ("webhook", "resolved")]


def test_a_reading_that_swings_is_told_once() -> None:
    go([12, 12, 12, 9, 12, 9, 6, 12, 4, 6, 12])
    assert told() == [("email", "fired"), ("webhook", "fired")]


def test_what_comes_back_fires_anew() -> None:
    go([12] * 3 + [0] * 3 + [12] * 3)
    assert Alert.objects.count() == 2 and open_alerts().count() == 1


def test_a_monitor_that_starts_anew_fires_nothing_twice() -> None:
    go([12] * 3)
    go([12] * 3, standings_of_open_alerts(), start=90)
    assert Alert.objects.count() == 1 and told() == [("email", "fired"), ("webhook", "fired")]


def test_a_monitor_that_starts_anew_ends_what_is_over() -> None:
    go([12] * 3)
    go([0] * 3, standings_of_open_alerts(), start=90)
    assert not open_alerts().exists()


def test_an_open_alert_says_its_latest_reading() -> None:
    go([12, 12, 12, 50])
    assert Alert.objects.get().summary == "50 wait on incoming."


def test_a_silenced_alert_is_shown_and_not_told() -> None:
    Silence.objects.create(rule=RULE.name, until=at(3600), by="ann")
    go([12] * 3)
    assert [alert.silenced for alert in with_silences(open_alerts(), at(90))] == [True]  # type: ignore[attr-defined]
    assert told() == []


def test_an_alert_that_outlasts_its_silence_is_told() -> None:
    Silence.objects.create(rule=RULE.name, until=at(100), by="ann")
    go([12] * 6)
    assert told() == [("email", "fired"), ("webhook", "fired")]


def test_nobody_is_told_of_the_end_of_what_was_silenced() -> None:
    Silence.objects.create(rule=RULE.name, key="incoming", until=at(3600), by="ann")
    go([12] * 3 + [0] * 4)
    assert told() == [] and not open_alerts().exists()


def test_a_silence_of_another_key_silences_nothing() -> None:
    Silence.objects.create(rule=RULE.name, key="outgoing", until=at(3600), by="ann")
    go([12] * 3)
    assert len(told()) == 2


def test_who_acknowledges_first_looks_after_it() -> None:
    go([12] * 3)
    assert [acknowledge(open_alerts(), who) for who in ("ann", "bob")] == [1, 0]
    assert Alert.objects.get().acknowledged_by == "ann"


def test_an_alert_ends_at_once_where_its_rule_says_so() -> None:
    rule = replace(RULE, for_s=0, clears_after_s=0)
    go([12, 0], rule=rule)
    alert = Alert.objects.get()
    assert alert.resolved_at == alert.fired_at + timedelta(seconds=30)
