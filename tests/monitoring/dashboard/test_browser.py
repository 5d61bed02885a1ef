"""The dashboard in a browser: refreshing, in both themes, on a phone, without JavaScript, and accessible."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import BusinessNumber
from monitoring.metrics.gauges import QUEUE, SQS_UP
from monitoring.metrics.message_counts import FAILURES, MESSAGES, SEND_LATENCY
from monitoring.models import Alert, Count, Heartbeat, Sample
from tests.messaging.factories import number
from tests.pages import LOOKS, THEMES, OpenPage, check_looks, needs_chromium, wait_until_it_fits

DASHBOARD = "/monitoring/dashboard"
pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sqs")]


@pytest.fixture
def history() -> None:
    """An hour of samples with faults at its end."""
    now = timezone.now()
    values: dict[str, float] = {}
    for n in range(60):
        values = {
            f"{QUEUE.name}/incoming/waiting": n % 7,
            f"{MESSAGES.name}/accepted": n * 100,
            f"{MESSAGES.name}/failed": n,
            f"{FAILURES.name}/131026": n,
            f"{SEND_LATENCY.name}/normal/0.5": n * 100,
            SQS_UP.name: 1,
        }
        Sample.objects.create(at=now - timedelta(minutes=59 - n), values=values, coarse=n % 5 == 0)
    Count.objects.bulk_create(Count(series=series, value=value) for series, value in values.items())
    number(paused_at=now, pause_reason="190: the access token has expired", paused_by="system")
    for kind, crashes in (("incoming", 0), ("outgoing", 3), ("dispatcher", 0), ("beat", 0), ("monitor", 0)):
        Heartbeat.objects.create(
            kind=kind, name=f"{kind}@ip-10-0-12-34.internal", host="a", pid=7, started_at=now, seen_at=now,
            crashes=crashes, crashed_at=now - timedelta(minutes=9) if crashes else None,
        )  # fmt: skip
    for severity, rule in (("critical", "number-paused"), ("warning", "dlq-not-empty")):
        Alert.objects.create(
            rule=rule, key="106540352242922", severity=severity, value=1, summary=f"Something of {rule}.",
            since=now - timedelta(minutes=5), fired_at=now,
        )  # fmt: skip


@pytest.mark.parametrize("theme", THEMES)
def test_the_dashboard_fits_the_screen_is_accessible_and_draws_its_charts(
    open_page: OpenPage, history: None, theme: str
) -> None:
    page = open_page(DASHBOARD, color_scheme=theme, viewport=LOOKS[0]["viewport"])
    page.locator(".uplot canvas").nth(3).wait_for()
    check_looks(page, theme, "dashboard", wait=wait_until_it_fits)


def test_the_dashboard_refreshes_itself(open_page: OpenPage, history: None) -> None:
    page = open_page(DASHBOARD)
    assert "Something is wrong" in page.inner_text("#status")
    Alert.objects.update(resolved_at=timezone.now())
    BusinessNumber.objects.update(paused_at=None)
    Sample.objects.create(at=timezone.now(), values={SQS_UP.name: 1})
    page.wait_for_selector("#status:has-text('All is well')")
    page.wait_for_selector("#announcement:text-is('All is well')", state="attached")


def test_the_dashboard_reports_a_lost_connection(open_page: OpenPage, history: None) -> None:
    page = open_page(DASHBOARD)
    page.route("**/monitoring/dashboard", lambda route: route.abort())
    page.wait_for_selector("#offline:not([hidden])")


def test_another_range_is_drawn_without_a_reload(open_page: OpenPage, history: None) -> None:
    page = open_page(DASHBOARD)
    with page.expect_response("**/monitoring/history?range=24h"):
        page.click(".ranges >> text=24 hours")
    page.wait_for_selector("[data-range='24h'][aria-current='true']")


def test_the_dashboard_works_without_javascript(open_page: OpenPage, history: None) -> None:
    page = open_page(DASHBOARD, java_script_enabled=False)
    text = page.inner_text("main")
    assert all(
        words in text for words in ("Something is wrong", "Incoming", "95th percentile", "paused", "Not deliverable")
    )
