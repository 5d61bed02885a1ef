"""The dashboard in a browser: live, in both themes, on a phone, without JavaScript, and for everybody."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from monitoring.gauges import QUEUE, SQS_UP
from monitoring.lane_counts import FAILURES, MESSAGES, SEND_LATENCY
from monitoring.models import Alert, Count, Heartbeat, Sample
from tests.messaging.factories import number

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}; Debian's package chromium brings it"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sqs"),
]
LOOKS = [
    {"viewport": {"width": width, "height": height}, "color_scheme": theme}
    for width, height in ((390, 844), (1440, 900))
    for theme in ("light", "dark")
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Playwright's loop runs in this thread, which Django takes for an async context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def history() -> None:
    """An hour of samples, with trouble at its end."""
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


def open_page(browser: Any, live_server: Any, **options: Any) -> Any:
    """The page, as a member of staff sees it; `foreign` collects requests to other hosts, `errors` what broke."""
    client = Client()
    client.force_login(User.objects.get_or_create(username="ann", defaults={"is_staff": True, "is_superuser": True})[0])
    context = browser.new_context(**options)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.foreign, page.errors = [], []
    page.on(
        "request",
        lambda request: request.url.startswith((live_server.url, "data:")) or page.foreign.append(request.url),
    )
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(f"{live_server.url}/monitoring/dashboard")
    return page


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look['color_scheme']}-{look['viewport']['width']}")
def test_it_fits_draws_and_breaks_nowhere(
    browser: Any, live_server: Any, history: None, tmp_path: Path, look: Any
) -> None:
    page = open_page(browser, live_server, **look)
    page.wait_for_selector(".uplot canvas")
    assert page.locator(".uplot canvas").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth") == look["viewport"]["width"]
    assert (page.errors, page.foreign) == ([], [])
    name = f"{look['color_scheme']}-{look['viewport']['width']}.png"
    page.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / name, full_page=True)
    page.context.close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look['color_scheme']}-{look['viewport']['width']}")
def test_nothing_serious_keeps_anybody_from_reading_it(
    browser: Any, live_server: Any, history: None, look: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(browser, live_server, **look)
    page.wait_for_selector(".uplot canvas")
    found = Axe().run(page).response["violations"]
    assert [
        (fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] in {"serious", "critical"}
    ] == []
    page.context.close()


def test_it_renews_itself(browser: Any, live_server: Any, history: None) -> None:
    page = open_page(browser, live_server)
    assert "Something is wrong" in page.inner_text("#verdict")
    Alert.objects.update(resolved_at=timezone.now())
    Sample.objects.create(at=timezone.now(), values={SQS_UP.name: 1})
    page.wait_for_function("document.getElementById('verdict').innerText.includes('All is well')", timeout=30_000)
    assert page.inner_text("#spoken") == "All is well"
    page.context.close()


def test_it_says_when_it_lost_its_connection(browser: Any, live_server: Any, history: None) -> None:
    page = open_page(browser, live_server)
    page.route("**/monitoring/dashboard", lambda route: route.abort())
    page.wait_for_selector("#offline:not([hidden])", timeout=20_000)
    page.context.close()


def test_another_range_is_drawn_in_place(browser: Any, live_server: Any, history: None) -> None:
    page = open_page(browser, live_server)
    with page.expect_response("**/monitoring/history?range=24h"):
        page.click("text=24 hours")
    assert page.get_attribute("[data-range='24h']", "aria-current") == "true"
    page.context.close()


def test_without_javascript_the_numbers_are_there(browser: Any, live_server: Any, history: None) -> None:
    page = open_page(browser, live_server, java_script_enabled=False)
    text = page.inner_text("main")
    assert all(
        words in text for words in ("Something is wrong", "Incoming", "95th percentile", "paused", "Not deliverable")
    )
    page.context.close()
