"""The monitor checks the set-up every hour, beside its other work."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from messaging.meta_setup import Finding, State
from messaging.models import Account
from monitoring.alerts.reasons import reason_of
from monitoring.dashboard.sections.setup import setup_view
from monitoring.metrics import gauges
from monitoring.models import Alert, SetupFinding
from monitoring.monitor import Monitor
from monitoring.setup.hourly_check import HourlyCheck, store
from tests.monitoring.readings import database_readings
from tests.monitoring.snapshots import window

FAILED = Finding("token", State.FAILED, "The token has expired.", "Make another.", "")
FINE = Finding("health", State.OK, "Meta says that it can send messages.", about="106")
REMARK = Finding("quality", State.WARNING, "The number's quality is RED.", "Send less.", "106")


def finished(check: HourlyCheck) -> None:
    """Let the running check end, and store its result."""
    assert check._thread
    check._thread.join(10)
    check.step()


@pytest.mark.django_db(transaction=True)
def test_a_check_stores_what_it_finds_in_the_place_of_what_was_found_before() -> None:
    store([REMARK])
    check = HourlyCheck(lambda: [FAILED, FINE], first_after_s=0)
    Account.objects.create(waba_id="1", synced_at="2026-11-01T00:00:00Z")
    check.step()
    finished(check)
    assert [row.key for row in SetupFinding.objects.all()] == ["token", "health 106"]


@pytest.mark.django_db(transaction=True)
def test_a_check_that_hangs_delays_nothing_and_is_reported_after_its_deadline(settings: Any) -> None:
    settings.DOCTOR_EVERY_S = 1e-6
    end = threading.Event()

    def hang() -> Iterator[Finding]:
        end.wait(30)
        yield FINE

    Account.objects.create(waba_id="1", synced_at="2026-11-01T00:00:00Z")
    check = HourlyCheck(hang, deadline_s=0.0, first_after_s=0)
    started = time.monotonic()
    check.step()
    check.step()
    assert time.monotonic() - started < 5
    assert [row.check_name for row in SetupFinding.objects.all()] == ["doctor"]
    # No other check starts meanwhile, and what the late one finds is not used.
    before = check._thread
    check.step()
    assert check._thread is before
    settings.DOCTOR_EVERY_S = 0
    end.set()
    finished(check)
    assert [row.check_name for row in SetupFinding.objects.all() if row.check_name != "doctor"] == []


@pytest.mark.django_db(transaction=True)
def test_a_check_that_breaks_is_a_failed_check() -> None:
    def broken() -> list[Finding]:
        raise ZeroDivisionError

    Account.objects.create(waba_id="1", synced_at="2026-11-01T00:00:00Z")
    check = HourlyCheck(broken, first_after_s=0)
    check.step()
    finished(check)
    (row,) = SetupFinding.objects.all()
    assert (row.check_name, row.state, row.text) == (
        "doctor",
        "failed",
        "The checks of the set-up stopped: ZeroDivisionError.",
    )


@pytest.mark.django_db(transaction=True)
def test_a_finding_that_quotes_what_postgresql_cannot_store_is_stored_without_it() -> None:
    Account.objects.create(waba_id="1", synced_at="2026-11-01T00:00:00Z")
    check = HourlyCheck(lambda: [Finding("token", State.FAILED, "Meta says: a\0b.", "", "")], first_after_s=0)
    check.step()
    finished(check)
    assert SetupFinding.objects.get().text == "Meta says: a\ufffdb."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("local", "connected", "every_s", "checks"),
    [(True, False, 3600, False), (True, True, 3600, True), (False, False, 3600, True), (False, True, 0, False)],
)
def test_when_the_set_up_is_checked(local: bool, connected: bool, every_s: float, checks: bool, settings: Any) -> None:
    settings.LOCAL, settings.DOCTOR_EVERY_S = local, every_s
    Account.objects.create(waba_id="1", synced_at="2026-11-01T00:00:00Z" if connected else None)
    check = HourlyCheck(lambda: [FINE], first_after_s=0)
    check.step()
    assert (check._thread is not None) is checks


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("local", "reported"), [(True, ["token"]), (False, ["webhook", "token"])])
def test_a_local_pipeline_needs_no_webhook_subscription(local: bool, reported: list[str], settings: Any) -> None:
    settings.LOCAL = local
    Account.objects.create(waba_id="1", synced_at="2026-11-01T00:00:00Z")
    webhook = Finding("webhook", State.FAILED, "The app has no active webhook subscription.", "Make it.", "")
    check = HourlyCheck(lambda: [webhook, FAILED], first_after_s=0)
    check.step()
    finished(check)
    assert list(SetupFinding.objects.order_by("pk").values_list("check_name", flat=True)) == reported


@pytest.mark.django_db
def test_what_was_found_is_forgotten_where_no_check_is_wanted_any_more(settings: Any) -> None:
    settings.DOCTOR_EVERY_S = 0
    store([FAILED])
    HourlyCheck().step()
    assert not SetupFinding.objects.exists()


@pytest.mark.django_db
def test_each_failure_is_an_alert_with_its_next_step(sqs: Any, settings: Any) -> None:
    settings.EXPECTED_PROCESSES = []
    store([FAILED, FINE, REMARK])
    Monitor().tick()
    assert list(Alert.objects.values_list("rule", "key")) == [("setup-check", "token")]
    assert reason_of("setup-check", "token", window({})) == "The token has expired. → Make another."


@pytest.mark.django_db
def test_a_check_that_succeeds_again_ends_its_alert(sqs: Any, settings: Any) -> None:
    settings.EXPECTED_PROCESSES = []
    monitor = Monitor()
    for findings in ([FAILED], [Finding("token", State.OK, "The access token is valid.")]):
        store(findings)
        monitor.tick()
    assert Alert.objects.get(rule="setup-check").resolved_at is not None


@pytest.mark.django_db
def test_the_dashboard_shows_what_failed_and_whether_each_number_can_send() -> None:
    store([FINE, Finding("token", State.OK, "The access token is valid."), FAILED])
    assert [(view.name, view.about, view.state) for view in setup_view().findings] == [
        ("token", "", "trouble"),
        ("health", "106", "ok"),
    ]


@pytest.mark.django_db
def test_warnings_are_no_alerts() -> None:
    store([REMARK])
    assert [series for series in database_readings() if series[0] == gauges.SETUP_FAILED.name] == []
